//! The owner of an entity that names none, from the CODEOWNERS file of its repository.
//!
//! It is put into `spec.owner` with an annotation that says where it is from; that the descriptor names no
//! owner is still told, as a hint.

use super::Ingest;
use super::address::Address;
use crate::catalog::codeowners::{Codeowners, MAX_BYTES, PLACES, owner_ref};
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::kinds::KINDS;
use crate::yaml::{Data, Node, Position};
use std::borrow::Cow;
use std::sync::Arc;

/// Says where the owner is from: `CODEOWNERS:12`.
pub const OWNER_FROM: &str = "devportal.io/owner-from";
const POINTER: &str = "/spec/owner";

/// What became of the search for an owner.
#[derive(Debug, Default)]
pub(super) struct Derived {
    /// Something has to come over the network first.
    pub waiting: bool,
    /// It depends on something that is not noted with the file: it is looked for each time.
    pub loose: bool,
    /// Where the owner is from, if there is one now.
    pub from: Option<String>,
}

/// Gives an entity without owner the one that CODEOWNERS names.
pub(super) fn derive(ingest: &Ingest<'_>, base: &Address, node: &mut Node<'_>) -> Derived {
    let mut derived = Derived::default();
    if !ingest.cx.config.codeowners || !lacks_owner(node) {
        return derived;
    }
    let Some((place, path, bytes)) = read(ingest, base, &mut derived) else { return derived };
    let Ok(text) = std::str::from_utf8(&bytes) else { return derived };
    let rules = Codeowners::parse(text, place);
    let by_mail = |mail: &str| ingest.by_mail.get(mail).cloned();
    let Some(found) = rules.find(&path) else { return derived };
    if let Some(owner) = found.owners.iter().find_map(|owner| owner_ref(owner, &by_mail)) {
        let from = format!("{place}:{}", found.line);
        if set(node, owner, &from) {
            derived.from = Some(from);
        }
    }
    derived
}

/// Makes hints of what the checks say about the missing owner.
pub(super) fn soften(diagnostics: &mut [Diagnostic], from: &str) {
    for diagnostic in diagnostics.iter_mut().filter(|d| d.pointer.as_deref() == Some(POINTER)) {
        diagnostic.severity = Severity::Info;
        diagnostic.message = format!("{}; the owner is taken from {from}", diagnostic.message);
    }
}

/// Whether an entity is of a kind that has an owner and names none.
fn lacks_owner(node: &Node<'_>) -> bool {
    let kind = node.get("kind").and_then(Node::as_str).unwrap_or_default();
    let is_ownable = KINDS
        .iter()
        .any(|known| known.name.eq_ignore_ascii_case(kind) && known.spec.iter().any(|f| f.name == "owner"));
    let Some(spec) = node.get("spec").filter(|spec| spec.as_mapping().is_some()) else { return false };
    let named = spec.get("owner").is_some_and(|owner| match &owner.data {
        Data::Null => false,
        Data::String(text) => !text.trim().is_empty(),
        _ => true,
    });
    is_ownable && !named
}

/// Returns where the file lies, the path of the descriptor, and the content.
fn read(
    ingest: &Ingest<'_>,
    base: &Address,
    derived: &mut Derived,
) -> Option<(&'static str, String, Arc<[u8]>)> {
    // one that comes later, or in a place that counts more, is not noted anywhere
    derived.loose = true;
    match base {
        Address::Path(path) => PLACES.iter().find_map(|place| {
            let mut bytes = Vec::new();
            ingest.tree.read(place, MAX_BYTES as u64, &mut bytes).ok()?;
            Some((*place, path.to_string(), bytes.into()))
        }),
        Address::Url(url) => {
            // all are asked for before one is waited for
            let answers: Vec<_> = PLACES
                .iter()
                .map(|place| {
                    let (path, at) = ingest.remote.in_repository(url, place)?;
                    Some((place, path, ingest.remote_file(&at)))
                })
                .collect();
            derived.waiting = answers.iter().flatten().any(|(_, _, answer)| answer.is_none());
            if derived.waiting {
                return None;
            }
            answers.into_iter().flatten().find_map(|(place, path, answer)| {
                let content = answer?.ok().filter(|content| content.len() <= MAX_BYTES)?;
                Some((*place, path, content))
            })
        }
    }
}

/// Puts the owner and where it is from into the entity.
fn set(node: &mut Node<'_>, owner: String, from: &str) -> bool {
    let start = node.get("spec").map_or(node.start, |spec| spec.start);
    let annotation = (text(start, OWNER_FROM.to_owned()), text(start, from.to_owned()));
    let Some(metadata) = node.at_pointer_mut("/metadata") else { return false };
    match metadata.at_pointer_mut("/annotations").map(|node| &mut node.data) {
        Some(Data::Mapping(entries)) => entries.push(annotation),
        Some(data @ Data::Null) => *data = Data::Mapping(vec![annotation]),
        Some(_) => {}
        None => {
            if let Data::Mapping(entries) = &mut metadata.data {
                let data = Data::Mapping(vec![annotation]);
                entries.push((text(start, "annotations".to_owned()), Node { start, width: 1, data }));
            }
        }
    }
    let Some(Data::Mapping(entries)) = node.at_pointer_mut("/spec").map(|spec| &mut spec.data) else {
        return false;
    };
    entries.retain(|(key, _)| key.as_str() != Some("owner"));
    entries.push((text(start, "owner".to_owned()), text(start, owner)));
    true
}

fn text(start: Position, text: String) -> Node<'static> {
    Node { start, width: 1, data: Data::String(Cow::Owned(text)) }
}
