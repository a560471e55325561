//! What `mkdocs.yml` says, as far as it matters in a terminal.
//!
//! Start at [`read`]. Nothing in the file can make reading fail: what is wrong or means nothing here is told
//! as a [`Diagnostic`] and the rest counts. Which keys, plugins and extensions a Backstage site honours
//! follows Backstage's generator of documentation; the others are named in a note.

use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::model::text::nearest;
use crate::yaml::{Data, Node, decode_lossy, parse_stream};
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::sync::Arc;

/// Longest `mkdocs.yml` that is read, in bytes.
pub(super) const MAX_CONFIG: u64 = 2 * 1024 * 1024;
/// Entries of a navigation, all levels together.
const MAX_ENTRIES: usize = 20_000;
/// Levels of a navigation.
const MAX_LEVELS: usize = 32;

/// Keys that count on a Backstage site.
const KEYS: &[&str] = &[
    "site_name",
    "site_url",
    "site_description",
    "site_author",
    "repo_url",
    "repo_name",
    "edit_uri",
    "edit_uri_template",
    "docs_dir",
    "site_dir",
    "nav",
    "exclude_docs",
    "not_in_nav",
    "theme",
    "plugins",
    "markdown_extensions",
    "extra",
    "extra_css",
    "use_directory_urls",
    "strict",
    "dev_addr",
    "watch",
    "copyright",
    "remote_branch",
    "remote_name",
    "validation",
    "google_analytics",
];

/// Plugins that change nothing in a terminal, or whose work is done here.
const PLUGINS: &[&str] = &[
    "techdocs-core",
    "search",
    "material/search",
    "redirects",
    "group",
    "material/group",
    // part of techdocs-core
    "monorepo",
];

/// A piece of navigation as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The title, where one is written.
    pub title: Option<String>,
    /// What it leads to.
    pub to: Written,
    /// 1-based line and column.
    pub place: (u32, u32),
}

/// What an entry leads to, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// A path, an address, or an include of the monorepo plugin.
    Text(String),
    /// A section.
    Section(Vec<Entry>),
}

/// What the file says.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its path in the tree; `None` when there is no such file.
    pub file: Option<String>,
    /// Its path as the user would type it.
    pub shown: Arc<str>,
    /// Name of the site.
    pub name: Option<String>,
    /// One sentence about it.
    pub description: Option<String>,
    /// Folder of the pages, relative to the file's folder; empty for that folder itself.
    pub docs_dir: String,
    /// Whether `docs_dir` was written.
    pub has_docs_dir: bool,
    /// The navigation, where one is written.
    pub nav: Option<Vec<Entry>>,
    /// Pages that are no part of the site.
    pub exclude: Patterns,
    /// Pages that need not be in the navigation.
    pub not_in_nav: Patterns,
    /// Page of the repository.
    pub repo_url: Option<String>,
    /// What is put behind it to edit a page.
    pub edit_uri: Option<String>,
    /// The same as a template.
    pub edit_uri_template: Option<String>,
    /// Whether `a/b.md` is served as `a/b/`.
    pub use_directory_urls: bool,
    /// Where the site is published.
    pub site_url: Option<String>,
    /// Options of plugins by name.
    pub plugins: Vec<(String, serde_json::Value)>,
    /// Options of Markdown extensions by name.
    pub extensions: Vec<(String, serde_json::Value)>,
    /// What is wrong, or does nothing here.
    pub problems: Vec<Diagnostic>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            file: None,
            shown: "mkdocs.yml".into(),
            name: None,
            description: None,
            docs_dir: "docs".to_owned(),
            has_docs_dir: false,
            nav: None,
            exclude: Patterns::default(),
            not_in_nav: Patterns::default(),
            repo_url: None,
            edit_uri: None,
            edit_uri_template: None,
            use_directory_urls: true,
            site_url: None,
            plugins: Vec::new(),
            extensions: Vec::new(),
            problems: Vec::new(),
        }
    }
}

impl Config {
    /// Returns whether the site asks for the block syntax `/// note`.
    pub fn uses_blocks(&self) -> bool {
        let core = self.plugins.iter().find(|(name, _)| name == "techdocs-core");
        core.is_some_and(|(_, options)| options.get("use_pymdownx_blocks") == Some(&true.into()))
    }

    /// Returns whether an extension is listed.
    pub fn has_extension(&self, name: &str) -> bool {
        self.extensions.iter().any(|(found, _)| found == name)
    }
}

/// Patterns as in a `.gitignore`.
#[derive(Debug, Clone)]
pub struct Patterns(Gitignore);

impl Default for Patterns {
    fn default() -> Self {
        Self(Gitignore::empty())
    }
}

impl Patterns {
    /// Reads one pattern a line.
    pub fn parse(text: &str) -> Self {
        let mut builder = GitignoreBuilder::new("");
        for line in text.lines().take(10_000) {
            // a pattern that is none matches nothing
            let _ = builder.add_line(None, line);
        }
        Self(builder.build().unwrap_or_else(|_| Gitignore::empty()))
    }

    /// Returns whether a page is meant; its path is relative to the folder of the pages.
    pub fn matches(&self, path: &str) -> bool {
        !self.0.is_empty() && self.0.matched_path_or_any_parents(path, false).is_ignore()
    }
}

/// Reads the text of a `mkdocs.yml`. `file` is its path in the tree, `shown` how people know it.
pub fn read(bytes: &[u8], file: &str, shown: &Arc<str>) -> Config {
    let mut config = Config { file: Some(file.to_owned()), shown: shown.clone(), ..Config::default() };
    let text = match decode_lossy(bytes, shown) {
        Ok((text, problem)) => {
            config.problems.extend(problem.map(|problem| *problem));
            text
        }
        Err(problem) => {
            config.problems.push(*problem);
            return config;
        }
    };
    let mut documents = parse_stream(&text, shown).into_iter();
    match documents.next().map(|document| document.content) {
        Some(Ok(Some(root))) if root.as_mapping().is_some() => Reader { config: &mut config }.root(&root),
        Some(Ok(Some(root))) => {
            let message = format!("the file holds a {}, not settings of a site", root.type_name());
            config.problem("docs::config", message, (root.start.line, root.start.column), None);
        }
        Some(Err(mut problem)) => {
            problem.hint = problem
                .hint
                .or_else(|| Some("until it can be read, the navigation is made from the folders".to_owned()));
            config.problems.push(*problem);
        }
        Some(Ok(None)) | None => {
            config.problem("docs::config", "the file is empty".to_owned(), (1, 1), None);
        }
    }
    config
}

impl Config {
    /// Tells something wrong in the file.
    pub(super) fn problem(
        &mut self,
        code: &'static str,
        message: String,
        place: (u32, u32),
        hint: Option<String>,
    ) {
        let mut diagnostic =
            Diagnostic::warning(code, message).at(SourceLocation::at(self.shown.clone(), place.0, place.1));
        diagnostic.hint = hint;
        self.problems.push(diagnostic);
    }

    fn note(&mut self, message: String, node: &Node<'_>) {
        let place = SourceLocation::at(self.shown.clone(), node.start.line, node.start.column);
        self.problems
            .push(Diagnostic::new(crate::diagnostic::Severity::Info, "docs::ignored", message).at(place));
    }
}

struct Reader<'c> {
    config: &'c mut Config,
}

impl Reader<'_> {
    fn root(&mut self, root: &Node<'_>) {
        for (key, value) in root.as_mapping().unwrap_or(&[]) {
            let Some(name) = key.as_str() else { continue };
            self.key(name, key, value);
        }
    }

    fn key(&mut self, name: &str, key: &Node<'_>, value: &Node<'_>) {
        match name {
            "site_name" => self.config.name = self.text(name, value),
            "site_description" => self.config.description = self.text(name, value),
            "repo_url" => self.config.repo_url = self.text(name, value),
            "edit_uri" => self.config.edit_uri = self.text(name, value),
            "edit_uri_template" => self.config.edit_uri_template = self.text(name, value),
            "site_url" => self.config.site_url = self.text(name, value),
            "docs_dir" => self.docs_dir(value),
            "nav" => self.nav(value),
            "exclude_docs" => self.config.exclude = self.patterns(name, value),
            "not_in_nav" => self.config.not_in_nav = self.patterns(name, value),
            "use_directory_urls" => {
                self.config.use_directory_urls = !matches!(value.data, Data::Bool(false));
            }
            "plugins" => {
                self.config.plugins = named(value);
                self.plugins(value);
            }
            "markdown_extensions" => self.config.extensions = named(value),
            _ if KEYS.contains(&name) => {}
            _ => {
                let near = nearest(name, KEYS.iter().copied());
                let near = near.first().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                self.config.note(format!("`{name}` does nothing on a Backstage site{near}"), key);
            }
        }
    }

    fn patterns(&mut self, key: &str, value: &Node<'_>) -> Patterns {
        self.text(key, value).map_or_else(Patterns::default, |text| Patterns::parse(&text))
    }

    /// Reads a text; `!ENV` and other things that cannot be known here read as absent.
    fn text(&mut self, key: &str, value: &Node<'_>) -> Option<String> {
        match &value.data {
            Data::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Data::Int(_) | Data::Float(_) | Data::Bool(_) => Some(value.key_text().into_owned()),
            Data::Null => None,
            // `!ENV [NAME, default]`: the last is what counts when no variable is set
            Data::Sequence(items) => {
                items.last().and_then(Node::as_str).filter(|_| items.len() > 1).map(str::to_owned)
            }
            Data::Mapping(_) => {
                let message = format!("`{key}` is a mapping where a text is wanted");
                self.config.problem("docs::config", message, (value.start.line, value.start.column), None);
                None
            }
        }
    }

    fn docs_dir(&mut self, value: &Node<'_>) {
        let Some(text) = self.text("docs_dir", value) else { return };
        let is_absolute = text.starts_with(['/', '\\']) || text.get(1..2) == Some(":");
        match crate::catalog::tree::resolve("", &text.replace('\\', "/")).filter(|_| !is_absolute) {
            Some(path) => {
                self.config.docs_dir = path;
                self.config.has_docs_dir = true;
            }
            None => {
                let diagnostic = Diagnostic::error(
                    "docs::outside",
                    format!(
                        "`docs_dir: {text}` leads out of the folder of the documentation; `docs` is read"
                    ),
                )
                .at(SourceLocation::at(self.config.shown.clone(), value.start.line, value.start.column))
                .hint("write a folder below that of `mkdocs.yml`");
                self.config.problems.push(diagnostic);
            }
        }
    }

    fn nav(&mut self, value: &Node<'_>) {
        if value.is_null() {
            return;
        }
        let mut left = MAX_ENTRIES;
        let nav = self.entries(value, 0, &mut left);
        if left == 0 {
            let message = format!("the navigation has more than {MAX_ENTRIES} entries; the rest is left out");
            self.config.problem("docs::nav", message, (value.start.line, value.start.column), None);
        }
        self.config.nav = Some(nav);
    }

    fn entries(&mut self, value: &Node<'_>, level: usize, left: &mut usize) -> Vec<Entry> {
        let place = (value.start.line, value.start.column);
        if level >= MAX_LEVELS {
            let message =
                format!("the navigation is nested deeper than {MAX_LEVELS} levels; the rest is left out");
            self.config.problem("docs::nav", message, place, None);
            return Vec::new();
        }
        let mut out = Vec::new();
        match &value.data {
            Data::Sequence(items) => {
                for item in items {
                    self.entry(item, level, left, &mut out);
                }
            }
            // `Section: {Page: a.md}`, as people write it now and then
            Data::Mapping(_) => self.entry(value, level, left, &mut out),
            _ => {
                let hint = Some("write `- Title: page.md` for each page".to_owned());
                self.config.problem("docs::nav", "`nav` is no list".to_owned(), place, hint);
            }
        }
        out
    }

    fn entry(&mut self, item: &Node<'_>, level: usize, left: &mut usize, out: &mut Vec<Entry>) {
        if *left == 0 {
            return;
        }
        *left -= 1;
        let place = (item.start.line, item.start.column);
        match &item.data {
            Data::String(text) => {
                out.push(Entry { title: None, to: Written::Text(text.trim().to_owned()), place });
            }
            Data::Mapping(pairs) => {
                for (key, value) in pairs {
                    let title = Some(key.key_text().into_owned()).filter(|title| !title.is_empty());
                    let place = (key.start.line, key.start.column);
                    let to = match &value.data {
                        Data::String(text) => Written::Text(text.trim().to_owned()),
                        Data::Sequence(_) | Data::Mapping(_) => {
                            Written::Section(self.entries(value, level + 1, left))
                        }
                        _ => {
                            let title = title.unwrap_or_default();
                            let message = format!("the entry `{title}` of the navigation leads nowhere");
                            self.config.problem("docs::nav", message, place, None);
                            continue;
                        }
                    };
                    out.push(Entry { title, to, place });
                }
            }
            Data::Sequence(_) => out.extend(self.entries(item, level + 1, left)),
            _ => {
                let message = format!("an entry of the navigation is a {}, no page", item.type_name());
                self.config.problem("docs::nav", message, place, None);
            }
        }
    }

    fn plugins(&mut self, value: &Node<'_>) {
        let names: Vec<&Node<'_>> = match &value.data {
            Data::Sequence(items) => items
                .iter()
                .filter_map(|item| match item.as_mapping() {
                    Some(pairs) => pairs.first().map(|(key, _)| key),
                    None => Some(item),
                })
                .collect(),
            Data::Mapping(pairs) => pairs.iter().map(|(key, _)| key).collect(),
            _ => Vec::new(),
        };
        for node in names {
            if let Some(name) = node.as_str().filter(|name| !PLUGINS.contains(name)) {
                self.config.note(format!("the plugin `{name}` does nothing on a Backstage site"), node);
            }
        }
    }
}

/// Reads `[a, {b: {…}}]` or `{a: {}, b: {…}}`: names with their options.
fn named(value: &Node<'_>) -> Vec<(String, serde_json::Value)> {
    let pair = |key: &Node<'_>, value: &Node<'_>| (key.key_text().into_owned(), to_json(value, 0));
    match &value.data {
        Data::Sequence(items) => items
            .iter()
            .flat_map(|item| match item.as_mapping() {
                Some(pairs) => pairs.iter().map(|(key, value)| pair(key, value)).collect(),
                None => item
                    .as_str()
                    .map(|name| (name.to_owned(), serde_json::Value::Null))
                    .into_iter()
                    .collect::<Vec<_>>(),
            })
            .collect(),
        Data::Mapping(pairs) => pairs.iter().map(|(key, value)| pair(key, value)).collect(),
        _ => Vec::new(),
    }
}

fn to_json(node: &Node<'_>, depth: usize) -> serde_json::Value {
    use serde_json::Value;
    if depth > MAX_LEVELS {
        return Value::Null;
    }
    match &node.data {
        Data::Null => Value::Null,
        Data::Bool(value) => Value::Bool(*value),
        Data::Int(value) => Value::from(*value),
        Data::Float(value) => Value::from(*value),
        Data::String(text) => Value::String(text.to_string()),
        Data::Sequence(items) => Value::Array(items.iter().map(|item| to_json(item, depth + 1)).collect()),
        Data::Mapping(pairs) => pairs
            .iter()
            .map(|(key, value)| (key.key_text().into_owned(), to_json(value, depth + 1)))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        read(text.as_bytes(), "mkdocs.yml", &"mkdocs.yml".into())
    }

    #[test]
    fn reads_what_matters_and_tells_what_does_not() {
        let found = config(
            "site_name: Shop\ndocs_dir: ./pages/\nhooks: [a.py]\nplugins:\n  - techdocs-core:\n      use_pymdownx_blocks: true\n  - kroki\nmarkdown_extensions:\n  - pymdownx.emoji:\n      emoji_index: !!python/name:material.extensions.emoji.twemoji\n  - pymdownx.keys\nsite_url: !ENV [URL, 'https://x.example']\nnav:\n  - index.md\n  - Guide:\n      - Start: start.md\n      - https://x.example\n",
        );
        assert_eq!((found.name.as_deref(), found.docs_dir.as_str()), (Some("Shop"), "pages"));
        assert!(found.uses_blocks() && found.has_extension("pymdownx.keys"));
        assert_eq!(found.site_url.as_deref(), Some("https://x.example"));
        let said: Vec<&str> = found.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            said,
            [
                "`hooks` does nothing on a Backstage site",
                "the plugin `kroki` does nothing on a Backstage site"
            ]
        );
        let nav = found.nav.unwrap();
        assert_eq!(nav[0].to, Written::Text("index.md".to_owned()));
        let Written::Section(inner) = &nav[1].to else { panic!("{nav:?}") };
        assert_eq!((inner[0].title.as_deref(), inner[0].place), (Some("Start"), (16, 9)));
    }

    #[test]
    fn nothing_makes_it_fail() {
        for (text, problems) in [
            ("", 1),
            ("- a", 1),
            ("a: [", 1),
            ("nav: x", 1),
            ("nav:\n  - 3\n  - {a: }\n", 2),
            ("docs_dir: ../x\n", 1),
            ("docs_dir: /etc\n", 1),
            ("site_name: {a: b}\n", 1),
        ] {
            let found = config(text);
            assert_eq!(found.problems.len(), problems, "{text:?}: {:?}", found.problems);
            assert_eq!(found.docs_dir, "docs");
        }
        assert_eq!(config(&format!("nav: {}{}\n", "[".repeat(190), "]".repeat(190))).problems.len(), 1);
    }

    #[test]
    fn patterns_are_those_of_git() {
        let patterns = Patterns::parse("drafts/\n*.tmp.md\n!keep.tmp.md\n/top.md\n");
        for (path, expected) in [
            ("drafts/a.md", true),
            ("x/drafts/a.md", true),
            ("a.tmp.md", true),
            ("keep.tmp.md", false),
            ("top.md", true),
            ("x/top.md", false),
            ("a.md", false),
        ] {
            assert_eq!(patterns.matches(path), expected, "{path}");
        }
    }
}
