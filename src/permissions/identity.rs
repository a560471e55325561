//! Which User entity the person in front of the screen is.
//!
//! What is known is collected once as [`Claims`] (settings, git, login name); [`Claims::resolve`] compares
//! it with the users of a catalog and says where the answer comes from. Trust is not involved: it only
//! decides what counts as "mine".

use super::Principal;
use crate::model::EntityRef;

/// What is known about the person before any catalog is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    /// The setting `user`; empty when not set.
    pub configured: String,
    /// Where the setting comes from, for people.
    pub configured_origin: String,
    /// git's `user.email`; empty when not set.
    pub email: String,
    /// The login name; empty when not known.
    pub login: String,
}

/// Where the answer comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityOrigin {
    /// The setting `user`, with its origin.
    Setting(String),
    /// git's `user.email`, the address that matched.
    GitEmail(String),
    /// The login name, which is the name of a User.
    Login(String),
    /// Nobody is known.
    Unknown,
}

impl std::fmt::Display for IdentityOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Setting(origin) => write!(f, "setting `user` ({origin})"),
            Self::GitEmail(email) => write!(f, "git user.email {email}"),
            Self::Login(name) => write!(f, "login name {name}"),
            Self::Unknown => f.write_str("nobody: no setting `user`, no User with git's user.email"),
        }
    }
}

/// Who the person is, and how we know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user, with the groups left empty until somebody fills them from the catalog.
    pub principal: Principal,
    /// Where the answer comes from.
    pub origin: IdentityOrigin,
    /// Whether the catalog describes that user.
    pub in_catalog: bool,
}

impl Claims {
    /// Collects what this machine knows. Reads git's settings for the folder; starts no program.
    pub fn collect(configured: &str, configured_origin: &str, folder: Option<&std::path::Path>) -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        Self {
            configured: configured.to_owned(),
            configured_origin: configured_origin.to_owned(),
            email: git_email(folder).unwrap_or_default(),
            login: variable("USER").or_else(|| variable("USERNAME")).unwrap_or_default(),
        }
    }

    /// Finds the user among pairs of canonical ref and `spec.profile.email`.
    pub fn resolve(&self, users: &[(&str, &str)]) -> Identity {
        let found = |user: &str, origin| Identity {
            principal: Principal { user: Some(user.to_owned()), groups: Vec::new() },
            origin,
            in_catalog: users.iter().any(|(known, _)| *known == user),
        };
        if !self.configured.is_empty() {
            let origin = IdentityOrigin::Setting(self.configured_origin.clone());
            if let Ok(user) = EntityRef::parse(&self.configured, Some("user"), "default") {
                return found(&user.to_string(), origin);
            }
        }
        let email = self.email.to_lowercase();
        let by_email = |(_, address): &(&str, &str)| !email.is_empty() && address.to_lowercase() == email;
        if let Some((user, _)) = users.iter().find(|user| by_email(user)) {
            return found(user, IdentityOrigin::GitEmail(self.email.clone()));
        }
        let login = EntityRef::parse(&self.login, Some("user"), "default").map(|user| user.to_string());
        if let Some((user, _)) = users.iter().find(|(user, _)| login.as_deref() == Ok(*user)) {
            return found(user, IdentityOrigin::Login(self.login.clone()));
        }
        Identity { principal: Principal::default(), origin: IdentityOrigin::Unknown, in_catalog: false }
    }
}

/// Returns git's `user.email` for a folder: its repository's settings first, then the user's.
fn git_email(folder: Option<&std::path::Path>) -> Option<String> {
    let mut config = folder
        .and_then(|folder| git2::Repository::discover(folder).ok())
        .and_then(|repository| repository.config().ok())
        .or_else(|| git2::Config::open_default().ok())?;
    let email = config.snapshot().ok()?.get_string("user.email").ok()?;
    Some(email.trim().to_owned()).filter(|email| !email.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &[(&str, &str)] =
        &[("user:default/ana", "Ana.Ruiz@example.com"), ("user:default/bo", ""), ("user:x/cy", "cy@x.org")];

    fn claims(configured: &str, email: &str, login: &str) -> Claims {
        Claims {
            configured: configured.into(),
            configured_origin: "config.toml:1".into(),
            email: email.into(),
            login: login.into(),
        }
    }

    #[test]
    fn setting_then_email_then_login() {
        let cases = [
            (claims("bo", "cy@x.org", "ana"), Some("user:default/bo"), true),
            (claims("User:X/Cy", "", ""), Some("user:x/cy"), true),
            (claims("dee", "cy@x.org", ""), Some("user:default/dee"), false),
            (claims("", "ana.ruiz@EXAMPLE.com", "bo"), Some("user:default/ana"), true),
            (claims("", "nobody@example.com", "bo"), Some("user:default/bo"), true),
            (claims("", "", "root"), None, false),
            (claims("", "", ""), None, false),
            (claims(":", "", ""), None, false),
        ];
        for (claims, user, in_catalog) in cases {
            let identity = claims.resolve(USERS);
            assert_eq!(identity.principal.user.as_deref(), user, "{claims:?}");
            assert_eq!(identity.in_catalog, in_catalog, "{claims:?}");
        }
    }

    #[test]
    fn an_empty_address_matches_nobody() {
        let identity = claims("", "", "").resolve(USERS);
        assert_eq!(identity.origin, IdentityOrigin::Unknown);
    }
}
