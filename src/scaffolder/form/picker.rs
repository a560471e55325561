//! Candidates for a field out of the catalog: which entities fit, and which of them a person means.
//!
//! A form only says what it looks for ([`Lookup`]); [`suggest`] answers from a snapshot and is pure, so that it
//! runs wherever there is time. `catalogFilter` is matched as Backstage does it: keys and values without case.

use super::field::Choice;
use super::json::{Json, Map, json_list};
use super::ui::Ui;
use crate::catalog::facets::{facet, short_ref};
use crate::catalog::{Catalog, EntityId};
use crate::model::entity_ref::split_canonical;
use crate::model::value::ValueRef;
use crate::permissions::Principal;
use crate::scaffolder::Value;
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use rayon::prelude::*;

/// Most candidates that are given.
pub const MAX_CHOICES: usize = 100;
/// Entities that one thread looks at at a time.
const CHUNK: usize = 4096;

/// What a field looks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Lookup {
    /// Pointer of the field that asks.
    pub pointer: String,
    /// What was typed so far.
    pub typed: String,
    /// Which things.
    pub what: What,
}

/// Which things a field looks for.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// Entities that fit one of the filters; all of them when there is none.
    Entities {
        /// The filters.
        filters: Vec<CatalogFilter>,
        /// Only what belongs to the person or a group of theirs.
        owned: bool,
    },
    /// Groups that the person is a member of.
    MyGroups,
    /// Tags, with how many entities have them.
    Tags {
        /// Only of these kinds; of all when empty.
        kinds: Vec<String>,
        /// How many entities have it is shown.
        show_counts: bool,
    },
    /// Texts that the template lists.
    Listed(Vec<String>),
}

/// One object of a `catalogFilter`: all conditions hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CatalogFilter {
    conditions: Vec<(String, Test)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    /// Has any value.
    Exists,
    /// Has one of these, lower-cased.
    OneOf(Vec<String>),
}

impl CatalogFilter {
    /// Reads `catalogFilter`: one object, or a list of which one has to fit.
    pub fn read(filter: Option<&Json>) -> Vec<Self> {
        match filter {
            Some(Json::Object(map)) => vec![Self::of(map)],
            Some(Json::List(filters)) => filters.iter().filter_map(Json::as_object).map(Self::of).collect(),
            _ => Vec::new(),
        }
    }

    /// The filter of entities of some kinds.
    pub fn of_kinds(kinds: &[String]) -> Self {
        let kinds = kinds.iter().map(|kind| kind.to_lowercase()).collect();
        Self { conditions: vec![("kind".to_owned(), Test::OneOf(kinds))] }
    }

    fn of(map: &Map) -> Self {
        let test = |value: &Json| match value {
            Json::List(values) => {
                Test::OneOf(values.iter().map(|value| value.text().to_lowercase()).collect())
            }
            Json::Object(_) if value.get("exists").and_then(Json::as_bool) == Some(true) => Test::Exists,
            // any other object is a text that nothing equals
            value => Test::OneOf(vec![value.text().to_lowercase()]),
        };
        Self { conditions: map.iter().map(|(key, value)| (key.to_lowercase(), test(value))).collect() }
    }

    /// Returns the kinds it asks for, if it does.
    fn kinds(&self) -> Option<&[String]> {
        self.conditions.iter().find_map(|(key, test)| match test {
            Test::OneOf(kinds) if key == "kind" => Some(kinds.as_slice()),
            _ => None,
        })
    }

    fn holds(&self, catalog: &Catalog, id: EntityId) -> bool {
        let Some(entity) = catalog.entity(id) else { return false };
        self.conditions.iter().all(|(key, test)| match key.as_str() {
            "kind" => test.holds(entity.kind()),
            "metadata.namespace" => test.holds(entity.namespace()),
            "metadata.name" => test.holds(entity.name()),
            key => match key.strip_prefix("relations.") {
                Some(relation) => entity.relations().any(|known| {
                    known.relation.eq_ignore_ascii_case(relation) && test.holds(catalog.ref_of(known.target))
                }),
                None => has_value(entity.value(), key, test),
            },
        })
    }
}

impl Test {
    fn holds(&self, value: &str) -> bool {
        match self {
            Self::Exists => true,
            Self::OneOf(values) => values
                .iter()
                .any(|known| known == value || known.chars().eq(value.chars().flat_map(char::to_lowercase))),
        }
    }
}

/// Looks for a value at a dotted key; keys of annotations and labels have dots of their own.
fn has_value(value: ValueRef<'_>, key: &str, test: &Test) -> bool {
    match value {
        ValueRef::Object(fields) => fields.iter().any(|(name, value)| match rest_behind(key, name) {
            Some("") => has_leaf(value, test),
            Some(rest) => has_value(value, rest, test),
            None => false,
        }),
        // `metadata.tags.java` stands for having the tag
        ValueRef::Array(items) => items.iter().any(|item| match item.as_str() {
            Some(text) => text.eq_ignore_ascii_case(key) && test.holds("true"),
            None => has_value(item, key, test),
        }),
        _ => false,
    }
}

/// Returns what is left of a key behind a name and its dot.
fn rest_behind<'a>(key: &'a str, name: &str) -> Option<&'a str> {
    let start = key.get(..name.len())?;
    let rest = key.get(name.len()..)?;
    if !start.eq_ignore_ascii_case(name) {
        return None;
    }
    if rest.is_empty() { Some("") } else { rest.strip_prefix('.') }
}

fn has_leaf(value: ValueRef<'_>, test: &Test) -> bool {
    match value {
        ValueRef::Array(items) => items.iter().any(|item| has_leaf(item, test)),
        ValueRef::Object(_) => *test == Test::Exists,
        value => {
            value.scalar_text().is_some_and(|text| test.holds(&text))
                || value.is_null() && *test == Test::Exists
        }
    }
}

/// Returns what an entity picker's options ask for.
pub fn entities(ui: &Ui, kinds: &[&str], owned: bool) -> What {
    let mut filters = CatalogFilter::read(ui.get("catalogFilter"));
    let allowed = ui.texts("allowedKinds");
    if filters.is_empty() && !allowed.is_empty() {
        filters.push(CatalogFilter::of_kinds(&allowed));
    } else if filters.is_empty() && !kinds.is_empty() {
        filters
            .push(CatalogFilter::of_kinds(&kinds.iter().map(|kind| (*kind).to_owned()).collect::<Vec<_>>()));
    }
    What::Entities { filters, owned }
}

/// Returns what can be chosen, best first, at most [`MAX_CHOICES`].
///
/// Pure: the same catalog gives the same answer. Takes milliseconds for 100,000 entities; not for the thread
/// that draws.
pub fn suggest(lookup: &Lookup, catalog: &Catalog, me: &Principal) -> Vec<Choice> {
    match &lookup.what {
        What::Entities { filters, owned } => {
            let mine = if *owned { Some(refs_of(catalog, me)) } else { None };
            let best = found(catalog, filters, mine.as_deref(), lookup.typed.trim());
            best.into_iter().filter_map(|id| choice(catalog, id)).collect()
        }
        What::MyGroups => my_groups(catalog, me, lookup.typed.trim()),
        What::Tags { kinds, show_counts } => tags(catalog, kinds, *show_counts, lookup.typed.trim()),
        What::Listed(texts) => {
            let choices =
                texts.iter().map(|text| Choice::new(Value::from(text.as_str()), text.as_str())).collect();
            ranked(choices, lookup.typed.trim())
        }
    }
}

/// Returns whether a ref is one of the candidates.
pub fn is_candidate(lookup: &Lookup, entity_ref: &str, catalog: &Catalog, me: &Principal) -> bool {
    match &lookup.what {
        What::Entities { filters, owned } => {
            catalog.find(entity_ref).filter(|id| catalog.is_entity(*id)).is_some_and(|id| {
                (filters.is_empty() || filters.iter().any(|filter| filter.holds(catalog, id)))
                    && (!owned || is_owned(catalog, id, &refs_of(catalog, me)))
            })
        }
        What::MyGroups => {
            my_groups(catalog, me, "").iter().any(|group| group.value.as_str() == Some(entity_ref))
        }
        What::Tags { .. } => true,
        What::Listed(texts) => texts.iter().any(|text| text == entity_ref),
    }
}

/// The refs that stand for a person: the user and their groups.
fn refs_of(catalog: &Catalog, me: &Principal) -> Vec<String> {
    let groups = me.user.as_deref().and_then(|user| catalog.find(user)).into_iter().flat_map(|user| {
        catalog
            .relations(user)
            .filter(|relation| relation.relation == "memberOf")
            .map(|relation| catalog.ref_of(relation.target).to_owned())
    });
    me.user.iter().cloned().chain(me.groups.iter().cloned()).chain(groups).collect()
}

fn is_owned(catalog: &Catalog, id: EntityId, mine: &[String]) -> bool {
    let mut owners = catalog.relations(id).filter(|relation| relation.relation == "ownedBy");
    owners.any(|owner| mine.iter().any(|me| me == catalog.ref_of(owner.target)))
}

/// Entities that fit, best first; without typed text in the order of their names.
fn found(
    catalog: &Catalog,
    filters: &[CatalogFilter],
    mine: Option<&[String]>,
    typed: &str,
) -> Vec<EntityId> {
    let fits = |id: EntityId| {
        (filters.is_empty() || filters.iter().any(|filter| filter.holds(catalog, id)))
            && mine.is_none_or(|mine| is_owned(catalog, id, mine))
    };
    let ids: Vec<EntityId> = ranges(catalog, filters).into_iter().flatten().map(EntityId).collect();
    if typed.is_empty() {
        let mut all: Vec<(&str, EntityId)> = ids
            .par_chunks(CHUNK)
            .flat_map_iter(|chunk| {
                chunk.iter().filter(|id| fits(**id)).map(|id| (split_canonical(catalog.ref_of(*id)).2, *id))
            })
            .collect();
        if all.len() > MAX_CHOICES {
            all.select_nth_unstable(MAX_CHOICES);
            all.truncate(MAX_CHOICES);
        }
        all.sort_unstable();
        return all.into_iter().map(|(_, id)| id).collect();
    }
    let pattern = pattern(typed);
    let mut all: Vec<(std::cmp::Reverse<u32>, EntityId)> = ids
        .par_chunks(CHUNK)
        .flat_map_iter(|chunk| {
            let mut ranker = Ranker::new(&pattern, typed);
            let mut best: Vec<(std::cmp::Reverse<u32>, EntityId)> = chunk
                .iter()
                .filter_map(|id| {
                    Some((
                        std::cmp::Reverse(ranker.score(searched(catalog, *id), Some(catalog.ref_of(*id)))?),
                        *id,
                    ))
                })
                .filter(|(_, id)| fits(*id))
                .collect();
            best.sort_unstable();
            best.truncate(MAX_CHOICES);
            best
        })
        .collect();
    all.sort_unstable();
    all.truncate(MAX_CHOICES);
    all.into_iter().map(|(_, id)| id).collect()
}

/// Name and title of an entity, lower-cased, on two lines.
fn searched(catalog: &Catalog, id: EntityId) -> &str {
    let haystack = catalog.haystack(id);
    let end = haystack.match_indices('\n').nth(1).map_or(haystack.len(), |(at, _)| at);
    haystack.get(..end).unwrap_or(haystack)
}

/// The numbers of the entities of the kinds that are asked for: refs begin with the kind and are in order.
fn ranges(catalog: &Catalog, filters: &[CatalogFilter]) -> Vec<std::ops::Range<u32>> {
    let all = catalog.len() as u32;
    let kinds: Option<Vec<&[String]>> = filters.iter().map(CatalogFilter::kinds).collect();
    let Some(kinds) = kinds.filter(|kinds| !kinds.is_empty()) else {
        return vec![Range { start: 0, end: all }];
    };
    let mut kinds: Vec<&String> = kinds.into_iter().flatten().collect();
    kinds.sort_unstable();
    kinds.dedup();
    use std::ops::Range;
    let start = |kind: &str, after: &str| {
        let text = format!("{kind}{after}");
        let (mut low, mut high) = (0, all);
        while low < high {
            let middle = u32::midpoint(low, high);
            if catalog.ref_of(EntityId(middle)) < text.as_str() { low = middle + 1 } else { high = middle }
        }
        low
    };
    // `;` follows `:`
    kinds.into_iter().map(|kind| start(kind, ":")..start(kind, ";")).collect()
}

fn pattern(typed: &str) -> Pattern {
    Pattern::parse(&typed.replace(['^', '$', '!', '\''], ""), CaseMatching::Ignore, Normalization::Smart)
}

struct Ranker<'a> {
    pattern: &'a Pattern,
    matcher: Matcher,
    letters: Vec<char>,
    /// A whole ref was typed, with its kind or namespace.
    is_ref: bool,
}

impl<'a> Ranker<'a> {
    fn new(pattern: &'a Pattern, typed: &str) -> Self {
        let is_ref = typed.contains([':', '/']);
        Self { pattern, matcher: Matcher::new(Config::DEFAULT), letters: Vec::new(), is_ref }
    }

    /// Scores an entity by its name and title, else by its whole ref, where somebody typed a kind too.
    fn score(&mut self, text: &str, other: Option<&str>) -> Option<u32> {
        let score = self.pattern.score(Utf32Str::new(text, &mut self.letters), &mut self.matcher);
        // a short text is nearer to what was typed than a long one
        let near = |score: u32| score * 16 + 15u32.saturating_sub(text.len() as u32 / 4);
        score.map(near).or_else(|| {
            let other = Utf32Str::new(other.filter(|_| self.is_ref)?, &mut self.letters);
            self.pattern.score(other, &mut self.matcher)
        })
    }
}

fn choice(catalog: &Catalog, id: EntityId) -> Option<Choice> {
    let entity = catalog.entity(id)?;
    let (kind, ..) = split_canonical(entity.entity_ref());
    let short = short_ref(entity.entity_ref());
    let label = entity.title().unwrap_or(short).to_owned();
    let detail = if label == short { kind.to_owned() } else { format!("{kind} {short}") };
    Some(Choice { value: Value::from(entity.entity_ref()), label, detail, is_disabled: false })
}

fn my_groups(catalog: &Catalog, me: &Principal, typed: &str) -> Vec<Choice> {
    let mut refs = refs_of(catalog, me);
    refs.retain(|known| known.starts_with("group:"));
    refs.sort_unstable();
    refs.dedup();
    ranked(refs.iter().filter_map(|known| choice(catalog, catalog.find(known)?)).collect(), typed)
}

fn tags(catalog: &Catalog, kinds: &[String], show_counts: bool, typed: &str) -> Vec<Choice> {
    let filters: Vec<CatalogFilter> =
        if kinds.is_empty() { Vec::new() } else { vec![CatalogFilter::of_kinds(kinds)] };
    let ids: Vec<EntityId> = ranges(catalog, &filters).into_iter().flatten().map(EntityId).collect();
    let values = facet(catalog, &ids, "tag").map(|facet| facet.values).unwrap_or_default();
    let choice = |value: crate::catalog::facets::FacetValue| Choice {
        detail: if show_counts { value.count.to_string() } else { String::new() },
        ..Choice::new(Value::from(value.value.as_str()), value.value)
    };
    ranked(values.into_iter().map(choice).collect(), typed)
}

/// Keeps what fits the typed text, best first; equals keep their order.
fn ranked(choices: Vec<Choice>, typed: &str) -> Vec<Choice> {
    if typed.is_empty() {
        return choices.into_iter().take(MAX_CHOICES).collect();
    }
    let pattern = pattern(typed);
    let mut ranker = Ranker::new(&pattern, typed);
    let mut scored: Vec<(std::cmp::Reverse<u32>, usize, Choice)> = choices
        .into_iter()
        .enumerate()
        .filter_map(|(at, choice)| {
            Some((std::cmp::Reverse(ranker.score(&choice.label, choice.value.as_str())?), at, choice))
        })
        .collect();
    scored.sort_by_key(|(score, at, _)| (*score, *at));
    scored.into_iter().take(MAX_CHOICES).map(|(.., choice)| choice).collect()
}

/// Returns the canonical form of a typed ref; the text as it is when it cannot be read.
pub fn canonical(typed: &str, ui: &Ui, default_kind: Option<&str>) -> String {
    let kind = ui.text("defaultKind").or(default_kind);
    let namespace =
        ui.text("defaultNamespace").filter(|namespace| !namespace.is_empty()).unwrap_or("default");
    crate::model::EntityRef::parse(typed.trim(), kind, namespace)
        .map_or_else(|_| typed.trim().to_owned(), |known| known.to_string())
}

/// Returns the refs or words of a list that was typed in one line.
pub fn words(typed: &str) -> Vec<String> {
    typed.split([',', '\n']).map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Returns the texts of a value that is a list.
pub fn texts(value: &Json) -> Vec<String> {
    json_list(Some(value)).iter().map(Json::text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::testing::catalog;
    use crate::scaffolder::form::json::json;

    const COMPANY: &str = "kind: Group\nname: runtime\ntype: team\n---\nkind: Group\nname: web\ntype: team\ntitle: Web People\n---\n\
        kind: User\nname: ana\nmemberOf: [web]\n---\n\
        kind: Component\nname: checkout\ntype: service\nowner: web\ntags: [java, cart]\nannotations: {backstage.io/techdocs-ref: 'dir:.'}\n---\n\
        kind: Component\nname: cart\ntype: website\nowner: runtime\ntags: [java]\n---\n\
        kind: Component\nname: ledger\nnamespace: bank\ntype: Service\nowner: user:default/ana\nlifecycle: production\n";

    fn me() -> Principal {
        Principal { user: Some("user:default/ana".into()), groups: Vec::new() }
    }

    fn refs(filter: &str, typed: &str, owned: bool) -> Vec<String> {
        let what = What::Entities { filters: CatalogFilter::read(Some(&json(filter))), owned };
        let lookup = Lookup { pointer: String::new(), typed: typed.into(), what };
        let choices = suggest(&lookup, &catalog(COMPANY), &me());
        choices
            .iter()
            .map(|choice| choice.value.to_string().replace("component:", "").replace("default/", ""))
            .collect()
    }

    #[test]
    fn filters_are_and_inside_or_between() {
        let cases: &[(&str, &[&str])] = &[
            ("{kind: Group}", &["group:runtime", "group:web"]),
            ("{kind: [Group, User]}", &["user:ana", "group:runtime", "group:web"]),
            ("[{kind: group}, {kind: user}]", &["user:ana", "group:runtime", "group:web"]),
            ("{kind: Component, spec.type: service}", &["checkout", "bank/ledger"]),
            ("{kind: Component, spec.type: [service, website]}", &["cart", "checkout", "bank/ledger"]),
            ("{metadata.tags: java}", &["cart", "checkout"]),
            ("{metadata.tags.cart: true}", &["checkout"]),
            ("{metadata.annotations.backstage.io/techdocs-ref: {exists: true}}", &["checkout"]),
            ("{metadata.annotations.backstage.io/techdocs-ref: 'dir:.'}", &["checkout"]),
            ("{metadata.annotations: {exists: true}}", &["checkout"]),
            ("{spec.lifecycle: {exists: false}}", &[]),
            ("{relations.ownedBy: group:default/web}", &["checkout"]),
            ("{relations.memberOf: 'Group:default/web'}", &["user:ana"]),
            ("{metadata.namespace: bank}", &["bank/ledger"]),
            ("{kind: Component, Spec.Lifecycle: PRODUCTION}", &["bank/ledger"]),
            ("{spec.owner: web}", &["checkout"]),
        ];
        for (filter, expected) in cases {
            assert_eq!(refs(filter, "", false), *expected, "{filter}");
        }
    }

    #[test]
    fn typing_finds_the_nearest_first() {
        assert_eq!(refs("{kind: Component}", "ct", false), ["cart", "checkout"]);
        assert_eq!(refs("{kind: Component}", "ledg", false), ["bank/ledger"]);
        assert_eq!(refs("{kind: Group}", "people", false), ["group:web"]);
        assert_eq!(refs("{}", "user:", false), ["user:ana"]);
        assert!(refs("{kind: Component}", "zzz", false).is_empty());
    }

    #[test]
    fn owned_means_by_me_or_my_groups() {
        assert_eq!(refs("{kind: Component}", "", true), ["checkout", "bank/ledger"]);
        let lookup = Lookup { pointer: String::new(), typed: String::new(), what: What::MyGroups };
        let groups = suggest(&lookup, &catalog(COMPANY), &me());
        assert_eq!(
            groups.iter().map(|group| (group.label.as_str(), group.detail.as_str())).collect::<Vec<_>>(),
            [("Web People", "group web")]
        );
    }

    #[test]
    fn tags_are_counted() {
        let what = What::Tags { kinds: vec!["Component".into()], show_counts: true };
        let tags =
            suggest(&Lookup { pointer: String::new(), typed: String::new(), what }, &catalog(COMPANY), &me());
        assert_eq!(
            tags.iter().map(|tag| (tag.label.as_str(), tag.detail.as_str())).collect::<Vec<_>>(),
            [("java", "2"), ("cart", "1")]
        );
    }

    #[test]
    fn refs_become_canonical() {
        let ui = |options: &str| Ui::of(None, &json(options));
        let cases = [
            ("Web", "{ui:options: {defaultKind: Group}}", "group:default/web"),
            ("bank/Ledger", "{ui:options: {defaultKind: Component}}", "component:bank/ledger"),
            ("x", "{ui:options: {defaultKind: API, defaultNamespace: ops}}", "api:ops/x"),
            ("x", "{ui:options: {defaultKind: API, defaultNamespace: false}}", "api:default/x"),
            ("web", "{}", "web"),
            ("a:b/c", "{}", "a:b/c"),
            ("::", "{ui:options: {defaultKind: Group}}", "::"),
        ];
        for (typed, options, expected) in cases {
            assert_eq!(canonical(typed, &ui(options), None), expected, "{typed} {options}");
        }
    }
}
