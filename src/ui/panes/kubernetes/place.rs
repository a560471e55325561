//! What the argument of a place line means: `pods shop @prod-eu /api`.

use crate::app::Context;
use crate::app::palette;
use crate::kubernetes::kind::{self, Kind};
use crate::kubernetes::object::ObjectRef;
use crate::kubernetes::select::Scope;
use crate::kubernetes::state::{State, Watch};
use crate::model::text::nearest;
use std::sync::Arc;

/// What is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum View {
    /// Workloads with their pods below.
    Workloads,
    /// Objects of a kind.
    Kind(Kind),
    /// Objects of a kind that belong to another object.
    Of(ObjectRef, Kind),
    /// Namespaces with what is in them.
    Namespaces,
}

/// Words for the views that are no kind.
pub const WORKLOADS: &str = "workloads";
const NAMESPACES: &str = "namespaces";

/// What an argument asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// What.
    pub view: View,
    /// Whose.
    pub scope: Scope,
    /// A bare word that may be a namespace or an entity; which of them is known when the clusters are.
    pub word: Option<String>,
    /// Only of these clusters.
    pub clusters: Vec<Arc<str>>,
    /// Filter text.
    pub filter: String,
}

/// Reads `KIND [NAMESPACE|ENTITY] [@CLUSTER]… [/FILTER]` and `KIND of OBJECT`.
///
/// # Errors
/// A sentence for the user when a word names nothing.
pub fn parse(argument: &str, cx: &Context) -> Result<Argument, String> {
    let state = &cx.kubernetes;
    let (first, rest) = argument.trim().split_once(char::is_whitespace).unwrap_or((argument.trim(), ""));
    let mut view = match first {
        "" => View::Workloads,
        word => view_of(word, state).ok_or_else(|| unknown(word, state))?,
    };
    let mut out = Argument {
        view: View::Workloads,
        scope: Scope::Everything,
        word: None,
        clusters: Vec::new(),
        filter: String::new(),
    };
    let mut rest = rest.trim_start();
    if let Some(parent) = rest.strip_prefix("of ") {
        let View::Kind(kind) = view else {
            return Err(format!("`{first}` is no kind that belongs to an object"));
        };
        let at = state.parse_ref(parent.trim()).ok_or_else(|| format!("`{parent}` names no object"))?;
        return Ok(Argument { view: View::Of(at, kind), ..out });
    }
    while !rest.is_empty() {
        if let Some(filter) = rest.strip_prefix('/') {
            filter.trim().clone_into(&mut out.filter);
            break;
        }
        if let Some(cluster) = rest.strip_prefix('@') {
            let (name, tail) = cluster_name(cluster, state);
            out.clusters.push(name);
            rest = tail.trim_start();
            continue;
        }
        let (word, tail) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        match word {
            _ if out.scope != Scope::Everything || out.word.is_some() => {
                return Err(format!("`{word}` is one word too many; a filter begins with `/`"));
            }
            "-A" | "all" => {}
            word if word.contains(':') => {
                let canonical = palette::find_entity(word, cx);
                out.scope = Scope::Entity(canonical.ok_or_else(|| format!("there is no entity `{word}`"))?);
            }
            word if word.starts_with("ns/") => {
                out.scope = Scope::Namespace(word.trim_start_matches("ns/").to_owned());
            }
            word => out.word = Some(word.to_owned()),
        }
        rest = tail.trim_start();
    }
    if view == View::Namespaces && (out.word.is_some() || out.scope != Scope::Everything) {
        view = View::Kind(Kind::Pod);
    }
    out.view = view;
    Ok(out)
}

/// Names of clusters may hold spaces: the longest one that is known wins.
fn cluster_name<'a>(text: &'a str, state: &State) -> (Arc<str>, &'a str) {
    let known = state.clusters.iter().map(|cluster| &cluster.cluster.name);
    let fits = |name: &&Arc<str>| {
        text.strip_prefix(&***name)
            .is_some_and(|tail| tail.is_empty() || tail.starts_with(char::is_whitespace))
    };
    match known.filter(fits).max_by_key(|name| name.len()) {
        Some(name) => (name.clone(), text.get(name.len()..).unwrap_or("")),
        None => {
            let (word, tail) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
            (word.into(), tail)
        }
    }
}

fn view_of(word: &str, state: &State) -> Option<View> {
    match word.to_lowercase().as_str() {
        "workloads" | "workload" | "tree" | "wl" => Some(View::Workloads),
        "namespaces" | "namespace" | "ns" => Some(View::Namespaces),
        word => state.find_kind(word).map(View::Kind),
    }
}

fn unknown(word: &str, state: &State) -> String {
    let names = kind::ALL.iter().flat_map(|row| row.short.iter().copied().chain([row.plural]));
    let custom = state.custom.iter().map(|custom| custom.plural.as_str());
    let near = nearest(word, names.chain(custom).chain([WORKLOADS, NAMESPACES]));
    let hint = near.first().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    format!("there is no kind `{word}`{hint}")
}

impl Argument {
    /// Writes the argument as it is read.
    pub fn text(&self, state: &State) -> String {
        let mut out = self.view.word(state);
        if let View::Of(parent, _) = &self.view {
            return format!("{out} of {}", state.ref_text(parent));
        }
        match (&self.scope, &self.word) {
            (_, Some(word)) => out.push_str(&format!(" {word}")),
            (Scope::Everything, None) => {}
            (Scope::Entity(canonical), None) => out.push_str(&format!(" {canonical}")),
            (Scope::Namespace(namespace), None) => out.push_str(&format!(" ns/{namespace}")),
        }
        for cluster in &self.clusters {
            out.push_str(&format!(" @{cluster}"));
        }
        if !self.filter.is_empty() {
            out.push_str(&format!(" /{}", self.filter));
        }
        out
    }

    /// Finds out what a bare word means: a namespace that has something, else an entity, else a namespace.
    /// Nothing changes while that cannot be known.
    pub fn resolve(&mut self, cx: &Context) {
        let Some(word) = &self.word else { return };
        let from = (Arc::<str>::from(word.as_str()), Arc::<str>::from(""));
        let mut tables = cx.kubernetes.clusters.iter().flat_map(|cluster| cluster.tables.values());
        let is_namespace = tables.any(|table| {
            table
                .objects
                .range(from.clone()..)
                .next()
                .is_some_and(|((namespace, _), _)| **namespace == **word)
        });
        let entity = if is_namespace { None } else { palette::find_entity(word, cx) };
        self.scope = match entity {
            Some(canonical) => Scope::Entity(canonical),
            None => Scope::Namespace(word.clone()),
        };
        let is_read = |watch: &Watch| !matches!(watch, Watch::None | Watch::Loading);
        let mut pods = cx.kubernetes.clusters.iter().filter_map(|cluster| cluster.tables.get(&Kind::Pod));
        if is_namespace || (cx.loaded_at.is_some() && pods.any(|table| is_read(&table.watch))) {
            self.word = None;
        }
    }
}

impl View {
    /// Every view, in the order that the tabs walk.
    pub fn all(state: &State) -> Vec<Self> {
        let kinds = kind::ALL.iter().map(|row| Self::Kind(row.kind));
        let custom = (0..state.custom.len()).map(|at| Self::Kind(Kind::Custom(at as u16)));
        [Self::Workloads].into_iter().chain(kinds).chain(custom).chain([Self::Namespaces]).collect()
    }

    /// Returns the word of place lines: `pods`.
    pub fn word(&self, state: &State) -> String {
        match self {
            Self::Workloads => WORKLOADS.to_owned(),
            Self::Namespaces => NAMESPACES.to_owned(),
            Self::Kind(kind) | Self::Of(_, kind) => plural(*kind, state),
        }
    }

    /// Returns the kinds that have to be watched for it.
    pub fn kinds(&self) -> Vec<Kind> {
        match self {
            Self::Kind(kind) | Self::Of(_, kind) => vec![*kind],
            Self::Namespaces | Self::Workloads => Vec::new(),
        }
    }
}

/// Returns the plural of a kind.
pub fn plural(kind: Kind, state: &State) -> String {
    kind.spec().map_or_else(|| state.kind_word(kind), |spec| spec.plural.to_owned())
}
