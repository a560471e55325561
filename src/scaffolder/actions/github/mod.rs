//! Actions of GitHub.

mod dispatch;
mod environment;
mod issues;
mod protection;
mod publish;
mod pull_request;
mod repository;
mod sealed;
mod settings;
mod split;
mod webhook;

use super::Entry;

/// The actions.
pub const ENTRIES: &[Entry] = &[
    (publish::OUTLINE.id, publish::make),
    (pull_request::OUTLINE.id, pull_request::make),
    (dispatch::OUTLINE.id, dispatch::make),
    (split::CREATE.id, split::make_create),
    (split::PUSH.id, split::make_push),
    (webhook::OUTLINE.id, webhook::make),
    (issues::CREATE.id, issues::make_create),
    (issues::LABEL.id, issues::make_label),
    (environment::OUTLINE.id, environment::make),
    (settings::KEY.id, settings::make_key),
    (settings::AUTOLINK.id, settings::make_autolink),
    (settings::PAGES.id, settings::make_pages),
    (settings::PROTECT.id, settings::make_protect),
];
