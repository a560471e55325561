//! `init`: writes a commented starter, settings or a `catalog-info.yaml` for the current folder.

mod app_config;
mod tables;
mod tree;

use super::error::{CliError, Exit};
use super::output::Output;
use crate::config::{Paths, starter};
use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::store;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Arguments of `init`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write a catalog-info.yaml for this folder instead of settings
    #[arg(long)]
    pub catalog_info: bool,
    /// Owner for the catalog-info.yaml: `group:payments`
    #[arg(long, value_name = "REF", requires = "catalog_info")]
    pub owner: Option<String>,
    /// Take the sources over from a Backstage app-config.yaml; repeatable, later files over earlier ones
    #[arg(long, value_name = "FILE", conflicts_with = "catalog_info")]
    pub from: Vec<PathBuf>,
    /// Where to write what was taken over, `-` prints it; absent: your config.toml
    #[arg(value_name = "OUT", requires = "from")]
    pub out: Option<PathBuf>,
    /// Print what would be written
    #[arg(long)]
    pub dry_run: bool,
}

/// Runs `init`. Never overwrites a file.
///
/// # Errors
/// [`CliError::Failed`] when the file exists or cannot be written.
pub fn run(args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let (file, content) = if !args.from.is_empty() {
        let content = taken_over(&args.from)?;
        if args.out.as_deref() == Some(Path::new("-")) {
            out.text(&content)?;
            return Ok(Exit::Fine);
        }
        (args.out.clone().unwrap_or_else(|| Paths::from_environment().config_file()), content)
    } else if args.catalog_info {
        let folder = std::env::current_dir()?;
        (PathBuf::from("catalog-info.yaml"), catalog_info(&folder, args.owner.as_deref()))
    } else {
        (Paths::from_environment().config_file(), starter::config_toml())
    };
    if args.dry_run {
        out.note(&format!("would write {}", file.display()));
        out.text(&content)?;
        return Ok(Exit::Fine);
    }
    if file.symlink_metadata().is_ok() {
        let shown = file.display().to_string();
        let hint = if !args.from.is_empty() {
            "put `-` at the end of the command to print the sources, and add them to it yourself"
        } else if args.catalog_info {
            "edit it, or `devportal init --catalog-info --dry-run` prints a fresh one"
        } else {
            "`devportal config edit` opens it, `devportal init --dry-run` prints a fresh one"
        };
        return Err(CliError::failure(
            Diagnostic::error("init::exists", format!("`{shown}` exists and is not overwritten"))
                .at(SourceLocation::file(shown))
                .hint(hint),
        ));
    }
    store::write_atomic(&file, content.as_bytes())
        .map_err(|error| CliError::failed("init::not-written", &error))?;
    out.line(&file.display().to_string())?;
    out.note(if !args.from.is_empty() {
        "wrote it; look through its comments, then `devportal doctor` tests the sources"
    } else if args.catalog_info {
        "wrote it; complete it, then `devportal validate catalog-info.yaml`"
    } else {
        "wrote it; every line is a comment until you remove its `#`"
    });
    Ok(Exit::Fine)
}

/// Returns the sources of an app-config as a configuration; beside a lone `app-config.yaml` its local
/// counterpart counts, as it does for Backstage.
fn taken_over(from: &[PathBuf]) -> Result<String, CliError> {
    let mut files = from.to_vec();
    if let [only] = from
        && only.file_name().is_some_and(|name| name == "app-config.yaml")
    {
        files.extend(Some(only.with_file_name("app-config.local.yaml")).filter(|local| local.is_file()));
    }
    let config = tree::load(&files).map_err(|diagnostic| CliError::failure(*diagnostic))?;
    let folder = from.first().and_then(|file| file.parent()).unwrap_or(Path::new(""));
    let folder = std::path::absolute(if folder == Path::new("") { Path::new(".") } else { folder })?;
    let mut plan = app_config::convert(&config, &folder);
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    Ok(tables::render(&mut plan.tables, &plan.left, &crate::model::text::clean(&names.join(", "))))
}

/// Returns a descriptor for a folder: name from the remote or the folder, links and annotations from the
/// remote, owner from whoever is named in CODEOWNERS.
fn catalog_info(folder: &Path, owner: Option<&str>) -> String {
    let remote = remote(folder);
    let folder_name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let title = remote.as_ref().map_or(folder_name.as_str(), |remote| remote.name());
    let name = entity_name(title);
    let (owner, is_guess) = match owner.map(str::to_owned).or_else(|| code_owner(folder)) {
        Some(owner) => (owner, false),
        None => ("unknown".to_owned(), true),
    };
    let mut text = String::from("apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n");
    let _ = writeln!(text, "  name: {name}");
    text.push_str("  # One sentence: what it does, for whom.\n");
    let _ = writeln!(
        text,
        "  description: {}",
        quoted(&readme_title(folder).unwrap_or_else(|| title.to_owned()))
    );
    if let Some(remote) = &remote {
        let annotations = remote.annotations();
        if !annotations.is_empty() {
            text.push_str("  annotations:\n");
            for (key, value) in annotations {
                let _ = writeln!(text, "    {key}: {}", quoted(&value));
            }
        }
        let _ = write!(text, "  links:\n    - url: {}\n      title: Source\n", quoted(&remote.url()));
    }
    text.push_str("  # tags: [java, payments]\nspec:\n");
    text.push_str("  # service, website, library, or a word of your own\n  type: service\n");
    text.push_str("  # experimental, production or deprecated\n  lifecycle: experimental\n");
    if is_guess {
        text.push_str("  # The group or user that answers for it: group:payments, user:ana\n");
    }
    let _ = writeln!(text, "  owner: {}", quoted(&owner));
    text.push_str("  # system: shop\n  # dependsOn: [resource:shop-db]\n  # providesApis: [shop-api]\n  # consumesApis: [ledger]\n");
    text
}

/// A repository on a forge.
struct Remote {
    host: String,
    /// `owner/name`, deeper on some forges.
    path: String,
}

impl Remote {
    /// Reads `https://host/owner/name.git`, `ssh://git@host/owner/name`, `git@host:owner/name`.
    fn parse(text: &str) -> Option<Self> {
        let (host, path) = match text.split_once("://") {
            Some((_, rest)) => rest.split_once('/')?,
            None => text.split_once(':')?,
        };
        let host = host.rsplit('@').next()?.split(':').next()?;
        let path = path.trim_matches('/').trim_end_matches(".git").trim_end_matches('/');
        let is_sound = host.contains('.') && path.contains('/') && !path.contains(char::is_whitespace);
        is_sound.then(|| Self { host: host.to_owned(), path: path.to_owned() })
    }

    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    fn url(&self) -> String {
        format!("https://{}/{}", self.host, self.path)
    }

    fn annotations(&self) -> Vec<(&'static str, String)> {
        let key = if self.host.contains("github") {
            "github.com/project-slug"
        } else if self.host.contains("gitlab") {
            "gitlab.com/project-slug"
        } else {
            return Vec::new();
        };
        vec![(key, self.path.clone())]
    }
}

fn remote(folder: &Path) -> Option<Remote> {
    let repository = git2::Repository::discover(folder).ok()?;
    let remote = repository.find_remote("origin").ok()?;
    Remote::parse(remote.url().ok()?)
}

/// Returns the owner of everything in CODEOWNERS: the last line for `*` counts.
fn code_owner(folder: &Path) -> Option<String> {
    let places = ["CODEOWNERS", ".github/CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];
    let text = places.iter().find_map(|place| std::fs::read_to_string(folder.join(place)).ok())?;
    let line = text.lines().rev().find(|line| line.trim_start().starts_with("* "))?;
    let owner = line.split_whitespace().nth(1)?.strip_prefix('@')?;
    Some(match owner.split_once('/') {
        Some((_, team)) => format!("group:{}", entity_name(team)),
        None => format!("user:{}", entity_name(owner)),
    })
}

fn readme_title(folder: &Path) -> Option<String> {
    let text = std::fs::read_to_string(folder.join("README.md")).ok()?;
    let title = text.lines().take(20).find_map(|line| line.strip_prefix("# "))?.trim();
    let title: String = crate::model::text::clean(title).chars().take(120).collect();
    (!title.is_empty()).then_some(title)
}

/// Turns any text into a valid entity name.
fn entity_name(text: &str) -> String {
    crate::model::rules::suggest_name(&text.to_lowercase()).unwrap_or_else(|| "my-component".to_owned())
}

/// A YAML text in double quotes; JSON strings are valid YAML.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_else(|_| "\"\"".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::descriptor::Origin;
    use crate::model::verdict::{Resolved, validate_bytes};

    #[test]
    fn remotes_in_all_spellings() {
        for text in [
            "https://github.com/acme/shop.git",
            "git@github.com:acme/shop.git",
            "ssh://git@github.com:22/acme/shop",
            "https://user:secret@github.com/acme/shop/",
        ] {
            let remote = Remote::parse(text).unwrap();
            assert_eq!(
                (remote.url().as_str(), remote.name()),
                ("https://github.com/acme/shop", "shop"),
                "{text}"
            );
        }
        for text in ["/srv/git/shop.git", "", "x:y", "file:///srv/shop"] {
            assert!(Remote::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_is_written_is_valid() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["My Shop (new)", "---", "名前", "x"] {
            let path = folder.path().join(name);
            std::fs::create_dir(&path).unwrap();
            std::fs::write(path.join("README.md"), "# A \"title\": with # signs\n").unwrap();
            let text = catalog_info(&path, None);
            let verdicts = validate_bytes(&"x".into(), text.as_bytes(), Origin::File, &mut |_, _| {
                Resolved::Kept(Box::new(Diagnostic::error("x::y", "no placeholder")))
            });
            assert!(verdicts.len() == 1 && verdicts[0].valid, "{text}\n{verdicts:?}");
        }
    }
}
