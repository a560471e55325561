//! Which repositories of a listing are read.

use super::Repository;
use crate::catalog::sources::SourceError;
use crate::config::source::RepositoryFilter;
use regex::{Regex, RegexBuilder};

/// Room for a compiled expression, in bytes; beyond it the setting is refused.
const MAX_REGEX: usize = 1024 * 1024;

/// A [`RepositoryFilter`], ready to be applied.
#[derive(Debug)]
pub struct Filter {
    name: Option<Regex>,
    settings: RepositoryFilter,
}

impl Filter {
    /// Compiles the expression for names, anchored at both ends.
    ///
    /// # Errors
    /// [`SourceError::BadSetting`].
    pub fn new(settings: &RepositoryFilter) -> Result<Self, SourceError> {
        let compile = |text: &String| {
            RegexBuilder::new(&format!("^(?:{text})$")).size_limit(MAX_REGEX).build().map_err(|error| {
                SourceError::BadSetting { setting: "repositories.name", cause: error.to_string() }
            })
        };
        Ok(Self { name: settings.name.as_ref().map(compile).transpose()?, settings: settings.clone() })
    }

    /// Returns whether a repository is read.
    pub fn accepts(&self, repository: &Repository) -> bool {
        let settings = &self.settings;
        let name = repository.path.rsplit('/').next().unwrap_or("");
        let is_named = |listed: &[String]| {
            listed.iter().any(|one| {
                one.eq_ignore_ascii_case(name) || one.trim_matches('/').eq_ignore_ascii_case(&repository.path)
            })
        };
        let has_topic = |listed: &[String]| {
            listed.iter().any(|one| repository.topics.iter().any(|topic| topic.eq_ignore_ascii_case(one)))
        };
        let visible = &settings.visibility;
        !repository.branch.is_empty()
            && (settings.forks || !repository.fork)
            && (settings.archived || !repository.archived)
            && (visible.is_empty() || visible.iter().any(|v| v.eq_ignore_ascii_case(&repository.visibility)))
            && (settings.topics.is_empty() || has_topic(&settings.topics))
            && !has_topic(&settings.exclude_topics)
            && !is_named(&settings.exclude)
            && self.name.as_ref().is_none_or(|regex| {
                // a name holds no `/`: an expression with one means groups, too
                regex.is_match(name) || (regex.as_str().contains('/') && regex.is_match(&repository.path))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository() -> Repository {
        Repository {
            path: "acme/shop-api".into(),
            branch: "main".into(),
            topics: vec!["backstage".into(), "go".into()],
            visibility: "internal".into(),
            ..Repository::default()
        }
    }

    fn accepts(settings: &str, repository: &Repository) -> bool {
        Filter::new(&toml::from_str(settings).unwrap()).unwrap().accepts(repository)
    }

    #[test]
    fn accepts_what_every_setting_allows() {
        let cases = [
            ("", true),
            ("name = \"shop-.*\"", true),
            ("name = \"shop\"", false),
            ("name = \"a|shop-api\"", true),
            ("name = \"acme/.*\"", true),
            ("name = \"acme.*\"", false),
            ("topics = [\"Backstage\"]", true),
            ("topics = [\"rust\"]", false),
            ("exclude_topics = [\"go\"]", false),
            ("exclude = [\"shop-api\"]", false),
            ("exclude = [\"Acme/Shop-API\"]", false),
            ("exclude = [\"other/shop-api\"]", true),
            ("visibility = [\"public\"]", false),
            ("visibility = [\"Internal\"]", true),
        ];
        for (settings, expected) in cases {
            assert_eq!(accepts(settings, &repository()), expected, "{settings}");
        }
    }

    #[test]
    fn forks_are_read_and_archived_ones_are_not() {
        let fork = Repository { fork: true, ..repository() };
        let archived = Repository { archived: true, ..repository() };
        let empty = Repository { branch: String::new(), ..repository() };
        assert!(accepts("", &fork) && !accepts("forks = false", &fork));
        assert!(!accepts("", &archived) && accepts("archived = true", &archived));
        assert!(!accepts("archived = true", &empty));
    }

    #[test]
    fn refuses_a_broken_expression() {
        let settings = RepositoryFilter { name: Some("(".into()), ..RepositoryFilter::default() };
        assert!(matches!(Filter::new(&settings), Err(SourceError::BadSetting { .. })));
    }
}
