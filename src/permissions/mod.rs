//! What a person may do: permission names, decisions, and the policy that makes them.
//!
//! Every row of the command table may name a permission; it is checked where a command is dispatched
//! and again in the service that acts. Start at [`Policy`].
//! Who the person in front of the screen is, [`identity`] finds out.

pub mod identity;
pub mod rbac;

pub use identity::{Claims, Identity, IdentityOrigin};

/// See entities and everything derived from them. Backstage: `catalog.entity.read`.
pub const CATALOG_READ: &str = "catalog.entity.read";
/// Ask for sources to be read again. Backstage: `catalog.entity.refresh`.
pub const CATALOG_REFRESH: &str = "catalog.entity.refresh";

/// Have a backend take in a location. Backstage: `catalog.location.create`.
pub const LOCATION_CREATE: &str = "catalog.location.create";

/// Who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Principal {
    /// Canonical ref of the User entity, if known.
    pub user: Option<String>,
    /// Canonical refs of the groups the user is a direct member of.
    pub groups: Vec<String>,
}

impl Principal {
    /// Returns whether something owned by `owner` (a canonical ref) is the person's own.
    pub fn owns(&self, owner: &str) -> bool {
        self.user.as_deref() == Some(owner) || self.groups.iter().any(|group| group == owner)
    }
}

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It may be done.
    Allow,
    /// It may not, and this is why, in plain words.
    Deny {
        /// What is missing and who can grant it.
        reason: String,
    },
}

/// Decides what a principal may do. Pure: no I/O, quick enough for every key press.
pub trait Policy: Send + Sync {
    /// Decides about a permission, for a resource (canonical entity ref) where one is meant.
    fn decide(&self, principal: &Principal, permission: &str, resource: Option<&str>) -> Decision;
}

/// The policy of a catalog without access control: everything is allowed.
#[derive(Debug, Clone, Copy, Default)]
pub struct AllowAll;

impl Policy for AllowAll {
    fn decide(&self, _principal: &Principal, _permission: &str, _resource: Option<&str>) -> Decision {
        Decision::Allow
    }
}
