//! `docs/config.md`, printed from the list of settings.

use super::setting::{ALL, Setting};
use std::fmt::Write as _;

/// Returns the text of `docs/config.md`.
pub fn markdown() -> String {
    let mut out = String::from(HEAD);
    for setting in ALL {
        section(&mut out, setting);
    }
    out
}

fn section(out: &mut String, setting: &Setting) {
    let _ = write!(out, "\n### `{}`\n\n{}\n\n", setting.key, setting.help);
    let _ = writeln!(out, "- takes: {}", setting.kind.words());
    match setting.default {
        Some(_) => {
            let _ = writeln!(out, "- default: `{}`", setting.built_in().to_toml());
        }
        None => out.push_str("- default: not set\n"),
    }
    let _ = writeln!(out, "- variable: `{}`", setting.variable());
    if setting.needs_trust {
        out.push_str("- in a project's file: only after `devportal config trust`\n");
    }
    if let Some(example) = setting.example {
        let _ = write!(out, "\n```toml\n{example}\n```\n");
    }
}

const HEAD: &str = "\
# Configuration

<!-- Generated from src/config/setting.rs; `devportal config show --docs` prints it. -->

Nothing needs to be configured. What is set counts in this order, first found wins:

1. a flag (`--offline`, `--catalog PATH`)
2. a variable (`DEVPORTAL_` and the name in capitals, dots as underscores)
3. `.devportal.toml` in the current folder or above it in the same repository. It comes with a
   repository that others write to: settings that say where to connect, what to run or who you are
   count only after `devportal config trust`
4. your `config.toml`
5. `/etc/devportal/config.toml`
6. the built-in value

`devportal config show --origin` prints every value with the place it comes from, `devportal config
paths` where the files are, `devportal config edit` opens yours. A mistake in a file is reported with its
line; everything else in it still counts and the program starts.

| File | Holds |
| --- | --- |
| `config.toml` | the settings below |
| `keys.toml` | key bindings by the name of the action: `[keys]`, `\"catalog.filter\" = [\"/\", \"ctrl-f\"]`; `[]` unbinds; `[pane.NAME]` for one pane |
| `aliases.toml` | short words for palette lines: `[aliases]`, `mine = \"catalog is:mine\"` |
| `views.toml` | named views: `[[view]]` with `name`, `place`, `filter`, `sort`, `columns` |
| `themes/` | themes of your own, one TOML file each |

They are in `$XDG_CONFIG_HOME/devportal` or `~/.config/devportal` on Linux and macOS and in
`%APPDATA%\\devportal` on Windows; `DEVPORTAL_CONFIG_DIR` names another folder.

## Settings
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_every_setting() {
        let page = markdown();
        for setting in ALL {
            assert!(page.contains(&format!("### `{}`", setting.key)));
        }
    }
}
