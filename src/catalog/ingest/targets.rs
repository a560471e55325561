//! What a Location names: its targets, resolved to files and addresses.
//!
//! Source: Backstage, *Descriptor Format*, kind Location. Relative targets start from the folder of the
//! file, with or without `./`; one without it may also be meant from the root. Nothing leads out of the
//! tree, and what was read over the network names nothing on this machine.

use super::Named;
use super::address::{self, Address};
use crate::catalog::glob::{Pattern, fixed_folder, is_glob};
use crate::catalog::tree::{SourceTree, resolve as resolve_path};
use crate::diagnostic::{Diagnostic, Severity};
use crate::yaml::Node;
use std::sync::Arc;
use url::Url;

/// Most files that one glob may name.
pub(super) const MAX_MATCHES: usize = 100_000;

/// A target of a Location.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub named: Arc<Named>,
    /// `spec.type`, lower case, if there is one.
    pub location_type: Option<String>,
}

/// A place to look, and another one if nothing is there.
pub(super) type Place = (Address, Option<Address>);

/// Why a target leads nowhere.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Nothing is there and that is allowed, or it is told about already.
    Silent,
    /// What to tell.
    Told(Box<Diagnostic>),
}

/// Reads the targets of a Location.
pub(super) fn of(node: &Node<'_>, base: &Address, file: &Arc<str>, entity: &Arc<str>) -> Vec<Target> {
    let Some(spec) = node.get("spec") else { return Vec::new() };
    let text = |key: &str| spec.get(key).and_then(Node::as_str);
    let location_type = text("type").map(str::to_lowercase);
    let optional = text("presence").is_some_and(|presence| presence.eq_ignore_ascii_case("optional"));
    let listed = spec.get("targets").and_then(Node::as_sequence).unwrap_or(&[]);
    spec.get("target")
        .into_iter()
        .chain(listed)
        .filter_map(|target| {
            let text = target.as_str()?.trim();
            let named = Arc::new(Named {
                text: text.into(),
                base: base.clone(),
                file: file.clone(),
                start: target.start,
                width: target.width,
                entity: entity.clone(),
                optional,
            });
            Some(Target { named, location_type: location_type.clone() })
        })
        .collect()
}

/// Turns a target into places to read.
///
/// # Errors
/// [`Refusal`] with the diagnostic that says why not.
pub(super) fn resolve(
    tree: &dyn SourceTree,
    base: &Address,
    target: &Target,
    can_list: &dyn Fn(&Url) -> bool,
) -> Result<Vec<Place>, Refusal> {
    let text = &*target.named.text;
    if text.is_empty() {
        return Err(refuse(
            target,
            "catalog::empty-target",
            "a target is empty",
            "name a file, or remove the line",
        ));
    }
    let known = [None, Some("url"), Some("file")];
    if let Some(other) = target.location_type.as_deref().filter(|t| !known.contains(&Some(*t))) {
        return Err(refuse(
            target,
            "catalog::location-type",
            format!("`{text}` has the location type `{other}`, which is not read"),
            "use the type `url` or `file`, or leave it out",
        ));
    }
    match absolute(text) {
        Some(url) if matches!(url.scheme(), "http" | "https") => one_url(url, target, can_list),
        Some(url) if url.scheme() == "file" => match (base, tree.inside(url.path())) {
            (Address::Url(_), _) => Err(file_from_remote(target)),
            (_, Some(path)) => Ok(vec![(Address::path(path), None)]),
            (_, None) => Err(outside(target)),
        },
        Some(url) => Err(refuse(
            target,
            "catalog::location-type",
            format!("`{text}` is an address of type `{}:`, which is not read", url.scheme()),
            "use an http or https address, or a relative path",
        )),
        None => match base {
            Address::Path(_) => local_of(tree, base, text, target),
            // the check of the document has told about this type
            Address::Url(_) if target.location_type.as_deref() == Some("file") => Err(Refusal::Silent),
            Address::Url(base) => match address::join(base, text) {
                Some(url) => one_url(url, target, can_list),
                None => Err(refuse(
                    target,
                    "catalog::bad-target",
                    format!("`{text}` is no usable address"),
                    "name a relative path or an https address",
                )),
            },
        },
    }
}

/// Reads a text that starts with a scheme as an address; `C:\x` and `a:b` are none.
pub(super) fn absolute(text: &str) -> Option<Url> {
    let (scheme, rest) = text.split_once(':')?;
    let plain = scheme.len() > 1
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    let known = matches!(scheme.to_ascii_lowercase().as_str(), "javascript" | "data" | "file");
    (plain && (rest.starts_with("//") || known)).then(|| Url::parse(text).ok()).flatten()
}

/// Returns whether an address names files by a pattern.
pub(super) fn is_pattern(url: &Url) -> bool {
    is_glob(&percent_decoded(url.path()))
}

fn one_url(url: Url, target: &Target, can_list: &dyn Fn(&Url) -> bool) -> Result<Vec<Place>, Refusal> {
    if is_pattern(&url) && !can_list(&url) {
        return Err(refuse(
            target,
            "catalog::remote-glob",
            format!("`{}` is a pattern; the files behind an address cannot be listed", target.named.text),
            "name each file, or add a clone of the repository as a source",
        ));
    }
    Ok(vec![(Address::Url(Arc::new(url)), None)])
}

/// Brings back the glob characters that an address escapes.
fn percent_decoded(path: &str) -> String {
    path.replace("%7B", "{").replace("%5B", "[").replace("%2A", "*")
}

fn local_of(
    tree: &dyn SourceTree,
    base: &Address,
    text: &str,
    target: &Target,
) -> Result<Vec<Place>, Refusal> {
    // a folder: the check of the document has told about it
    if text.ends_with('/') {
        return Err(Refusal::Silent);
    }
    let from_root = |text: &str| resolve_path("", text.trim_start_matches('/'));
    let (first, second) = if text.starts_with('/') {
        (tree.inside(text).or_else(|| from_root(text)), None)
    } else if text.starts_with('.') {
        (resolve_path(base.folder(), text), None)
    } else {
        (resolve_path(base.folder(), text), from_root(text).filter(|_| !base.folder().is_empty()))
    };
    let Some(first) = first else { return Err(outside(target)) };
    if is_glob(text) {
        return matches(tree, &first, second.as_deref(), target);
    }
    Ok(vec![(Address::path(first), second.map(Address::path))])
}

/// Returns the folders in which a file that comes or goes may match a target.
pub(super) fn pattern_folders(tree: &dyn SourceTree, base: &Address, text: &str) -> Vec<String> {
    if !is_glob(text) || !matches!(base, Address::Path(_)) || absolute(text).is_some() {
        return Vec::new();
    }
    let relative = resolve_path(base.folder(), text);
    let from_root = tree.inside(text).or_else(|| resolve_path("", text.trim_start_matches('/')));
    [relative, from_root].into_iter().flatten().map(|glob| fixed_folder(&glob).to_owned()).collect()
}

fn matches(
    tree: &dyn SourceTree,
    first: &str,
    second: Option<&str>,
    target: &Target,
) -> Result<Vec<Place>, Refusal> {
    for glob in [Some(first), second].into_iter().flatten() {
        let pattern = Pattern::new(glob).map_err(|error| {
            refuse(
                target,
                "catalog::bad-target",
                format!("the pattern `{}` is not usable: {error}", target.named.text),
                "close every bracket and brace",
            )
        })?;
        let files = tree.list(fixed_folder(glob)).unwrap_or_default();
        let found: Vec<Place> = files
            .into_iter()
            .filter(|path| pattern.is_match(path))
            .take(MAX_MATCHES)
            .map(|path| (Address::path(path), None))
            .collect();
        if !found.is_empty() {
            return Ok(found);
        }
    }
    if target.named.optional {
        return Err(Refusal::Silent);
    }
    Err(refuse(
        target,
        "catalog::target-not-found",
        format!("no file matches the target `{}`", target.named.text),
        "mend the pattern, or set `presence: optional`",
    ))
}

fn outside(target: &Target) -> Refusal {
    refuse(
        target,
        "catalog::outside-root",
        format!("the target `{}` leads out of the source", target.named.text),
        "move the file below the root, or add its folder as a source of its own",
    )
}

fn file_from_remote(target: &Target) -> Refusal {
    refuse(
        target,
        "catalog::local-from-remote",
        format!(
            "the target `{}` is a local file, and this Location was read over the network",
            target.named.text
        ),
        "name an https address",
    )
}

fn refuse(
    target: &Target,
    code: &'static str,
    message: impl Into<String>,
    hint: impl Into<String>,
) -> Refusal {
    Refusal::Told(Box::new(target.named.diagnostic(Severity::Error, code, message).hint(hint)))
}
