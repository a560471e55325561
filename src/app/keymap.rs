//! From keys to commands, for each pane; built from the command table and the user's changes.
//!
//! The nearest row wins: the pane's own, then its groups in order, then the global ones. Two rows that
//! want the same key at the same distance are a clash: the first keeps it, the clash is reported.

use super::commands::{CommandId, CommandSpec, Group};
use super::input::Key;
use super::pane::PaneSpec;
use crate::diagnostic::Diagnostic;
use std::collections::{BTreeMap, HashMap};

/// Where a row applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Scope {
    Group(Group),
    Pane(&'static str),
}

/// Keys by command, and commands by key in each scope.
#[derive(Debug, Clone, Default)]
pub struct Keymap {
    commands: HashMap<(Scope, Key), CommandId>,
    keys: HashMap<CommandId, Vec<Key>>,
}

impl Default for Scope {
    fn default() -> Self {
        Self::Group(Group::Global)
    }
}

/// Keys that differ from the defaults in a preset; everything else is the same in all of them.
const K9S: &[(&str, &[&str])] = &[
    ("thing.inspect", &["y", "i"]),
    ("thing.copy", &["c"]),
    ("app.refresh", &["ctrl-r"]),
    ("app.history-back", &["[", "ctrl-o"]),
    ("app.last-place", &["]", "-"]),
    ("tab.previous", &["H"]),
    ("tab.next", &["L"]),
    ("docs.previous-page", &["H"]),
    ("docs.next-page", &["L"]),
];
const VIM: &[(&str, &[&str])] = &[("list.range", &["V"]), ("list.views", &["v"])];

/// Names of the presets.
pub const PRESETS: [&str; 3] = ["default", "k9s", "vim"];

fn preset_rows(preset: &str) -> &'static [(&'static str, &'static [&'static str])] {
    match preset {
        "k9s" => K9S,
        "vim" => VIM,
        _ => &[],
    }
}

/// Returns every row with the heading help puts above it.
pub fn all_rows(
    panes: &'static [&'static PaneSpec],
) -> impl Iterator<Item = (&'static str, &'static CommandSpec)> + use<> {
    let own = panes.iter().flat_map(|pane| pane.commands.iter().map(|row| (pane.title, row)));
    let places = panes.iter().filter_map(|pane| pane.go.as_ref().map(|row| ("Places", row)));
    own.chain(places)
        .chain(Group::ALL.iter().flat_map(|group| group.rows().iter().map(|row| (group.title(), row))))
}

impl Keymap {
    /// Builds the map: table rows, then the preset, then the user's keys by command name (empty =
    /// unbound). What is wrong with the user's keys comes back as diagnostics; the rest works.
    pub fn build(
        panes: &'static [&'static PaneSpec],
        preset: &str,
        user: &BTreeMap<String, Vec<String>>,
    ) -> (Self, Vec<Diagnostic>) {
        let mut map = Self::default();
        let mut diagnostics = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        let scopes = panes
            .iter()
            .map(|pane| (Scope::Pane(pane.id), pane.commands))
            .chain(panes.iter().map(|pane| (Scope::Group(Group::Global), pane.go.as_slice())))
            .chain(Group::ALL.iter().map(|group| (Scope::Group(*group), group.rows())));
        for (scope, rows) in scopes {
            for row in rows {
                seen.push(row.id.0);
                let texts: Vec<&str> = match user.get(row.id.0) {
                    Some(keys) => keys.iter().map(String::as_str).collect(),
                    None => preset_rows(preset)
                        .iter()
                        .find(|(name, _)| *name == row.id.0)
                        .map_or(row.keys, |(_, keys)| keys)
                        .to_vec(),
                };
                for text in texts {
                    map.bind(scope, row, text, &mut diagnostics);
                }
            }
        }
        for name in user.keys().filter(|name| !seen.contains(&name.as_str())) {
            let near = crate::model::text::nearest(name, seen.iter().copied());
            let diagnostic =
                Diagnostic::warning("keys::unknown-action", format!("there is no action `{name}`"));
            diagnostics.push(match near.first() {
                Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
                None => diagnostic.hint("`devportal keys` lists all actions"),
            });
        }
        map.report_hidden(panes, user, &mut diagnostics);
        (map, diagnostics)
    }

    /// Tells which rows a key of the user's takes away, because it is nearer where both apply.
    fn report_hidden(
        &self,
        panes: &[&PaneSpec],
        user: &BTreeMap<String, Vec<String>>,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let meet = |a: Scope, b: Scope| match (a, b) {
            (Scope::Pane(_), Scope::Pane(_)) => false,
            (Scope::Group(Group::Global), _) | (_, Scope::Group(Group::Global)) => true,
            (Scope::Pane(id), Scope::Group(group)) | (Scope::Group(group), Scope::Pane(id)) => {
                panes.iter().any(|pane| pane.id == id && pane.groups.contains(&group))
            }
            (Scope::Group(a), Scope::Group(b)) => {
                panes.iter().any(|pane| pane.groups.contains(&a) && pane.groups.contains(&b))
            }
        };
        let mut hidden: Vec<(String, &str, &str)> = Vec::new();
        for ((scope, key), command) in
            self.commands.iter().filter(|(_, command)| user.contains_key(command.0))
        {
            for ((other_scope, other_key), other) in &self.commands {
                if key == other_key && command != other && scope != other_scope && meet(*scope, *other_scope)
                {
                    hidden.push((key.to_string(), command.0, other.0));
                }
            }
        }
        hidden.sort();
        hidden.dedup();
        diagnostics.extend(hidden.into_iter().map(|(key, command, other)| {
            let message = format!(
                "`{key}` is bound to `{command}` and to `{other}`; the nearer one wins where both apply"
            );
            Diagnostic::warning("keys::clash", message).hint(format!(
                "bind `{other}` to another key in keys.toml, or choose another for `{command}`"
            ))
        }));
    }

    fn bind(&mut self, scope: Scope, row: &CommandSpec, text: &str, diagnostics: &mut Vec<Diagnostic>) {
        let key = match text.parse::<Key>() {
            Ok(key) => key,
            Err(error) => {
                diagnostics.push(Diagnostic::warning("keys::no-key", format!("`{}`: {error}", row.id.0)));
                return;
            }
        };
        match self.commands.get(&(scope, key)) {
            Some(other) if *other != row.id => diagnostics.push(
                Diagnostic::warning(
                    "keys::clash",
                    format!("`{key}` is bound to `{}` and to `{}`; the first keeps it", other.0, row.id.0),
                )
                .hint("bind one of them to another key in keys.toml, or to [] to unbind it"),
            ),
            _ => {
                self.commands.insert((scope, key), row.id);
                self.keys.entry(row.id).or_default().push(key);
            }
        }
    }

    /// Finds the command of a key in a pane with these groups.
    pub fn find(&self, pane: &'static str, groups: &[Group], key: Key) -> Option<CommandId> {
        std::iter::once(Scope::Pane(pane))
            .chain(groups.iter().map(|group| Scope::Group(*group)))
            .chain([Scope::Group(Group::Global)])
            .find_map(|scope| self.commands.get(&(scope, key)).copied())
    }

    /// Returns the keys of a command, the one to show first.
    pub fn keys(&self, command: CommandId) -> &[Key] {
        self.keys.get(&command).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_takes_another_away_is_told() {
        let panes = crate::ui::panes::ALL;
        let user = BTreeMap::from([("list.filter".to_owned(), vec!["j".to_owned()])]);
        let (_, diagnostics) = Keymap::build(panes, "default", &user);
        assert!(
            diagnostics.iter().any(|d| d.message.contains("`list.filter` and to `move.down`")),
            "{diagnostics:?}"
        );
        let free = BTreeMap::from([("list.filter".to_owned(), vec!["f12".to_owned()])]);
        assert_eq!(Keymap::build(panes, "default", &free).1, []);
    }
}
