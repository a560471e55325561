//! Evaluates a filter over a snapshot.
//!
//! Start at [`Query::run`]. A filter is first bound to the snapshot: values become sets of interned
//! texts and of ids, so that most conditions are one lookup in a column; words are searched in the
//! one long text of the haystack. Ids are tested in chunks on all cores and come back in the order of
//! their refs.

use super::filter::{Anchor, Atom, Count, Filter, FilterError, Key, Op, State, compile_regex};
use super::ingest::LAST_GOOD;
use super::selector::Selector;
use super::snapshot::{Catalog, Entity, EntityId, NONE, Row, Str, flag};
use crate::model::entity_ref::split_canonical;
use crate::model::value::ValueRef;
use memchr::memmem;
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Who asks: what `me`, `is:mine` and `is:starred` mean.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Viewer {
    /// Canonical refs that stand for me: my user and the groups I am a direct member of.
    pub me: Vec<String>,
    /// Canonical refs that I starred.
    pub starred: BTreeSet<String>,
    /// Health in a word, by canonical ref, of those of which it is known.
    pub health: Arc<BTreeMap<Arc<str>, &'static str>>,
}

impl Viewer {
    /// Creates the viewer for a user: the user and the groups of their `memberOf` relations.
    pub fn of_user(catalog: &Catalog, user: &str, starred: BTreeSet<String>) -> Self {
        let mut me = vec![user.to_owned()];
        if let Some(id) = catalog.find(user) {
            me.extend(
                catalog
                    .relations(id)
                    .filter(|r| r.relation == "memberOf")
                    .map(|r| catalog.ref_of(r.target).to_owned()),
            );
        }
        Self { me, starred, ..Self::default() }
    }
}

/// A filter with the narrowing that a command adds by its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// What a person typed.
    pub filter: Filter,
    /// Label selector given separately.
    pub selector: Option<Selector>,
    /// Kinds, compared without case; empty: all.
    pub kinds: Vec<String>,
    /// Namespace; `None`: all.
    pub namespace: Option<String>,
}

/// Ids tested between two looks at the cancellation, and by one thread at a time.
const CHUNK: usize = 4096;

impl Query {
    /// Creates a query from a filter text.
    ///
    /// # Errors
    /// [`FilterError`] when the text is not understood.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        Ok(Self::from(Filter::parse(text)?))
    }

    /// Returns the entities that match, in the order of their refs; what was found so far when cancelled.
    pub fn run(&self, catalog: &Catalog, viewer: &Viewer, cancel: &CancellationToken) -> Vec<EntityId> {
        let bound = Bound::new(self, catalog, viewer);
        let total = catalog.len() as u32;
        if bound.conditions.is_empty() {
            return catalog.ids().collect();
        }
        let chunks: Vec<Range<u32>> =
            (0..total).step_by(CHUNK).map(|start| start..(start + CHUNK as u32).min(total)).collect();
        let found: Vec<Vec<EntityId>> = chunks
            .into_par_iter()
            .map(|chunk| if cancel.is_cancelled() { Vec::new() } else { bound.search(chunk) })
            .collect();
        found.concat()
    }

    /// Returns whether one entity matches.
    pub fn matches(&self, catalog: &Catalog, viewer: &Viewer, id: EntityId) -> bool {
        !Bound::new(self, catalog, viewer).search(id.0..id.0 + 1).is_empty() && catalog.is_entity(id)
    }
}

impl From<Filter> for Query {
    fn from(filter: Filter) -> Self {
        Self { filter, ..Self::default() }
    }
}

/// The matcher's pattern for `~word`: without case unless it has a capital.
pub(super) fn fuzzy_pattern(text: &str) -> nucleo_matcher::pattern::Atom {
    use nucleo_matcher::pattern::{Atom, AtomKind, CaseMatching, Normalization};
    Atom::new(text, CaseMatching::Smart, Normalization::Smart, AtomKind::Fuzzy, false)
}

/// A query bound to a snapshot: every term that does not hold for all.
struct Bound<'a> {
    catalog: &'a Catalog,
    conditions: Vec<Condition<'a>>,
}

struct Condition<'a> {
    negated: bool,
    any: Vec<Test<'a>>,
}

enum Test<'a> {
    /// Substring of the haystack; the second is checked against the original text when set.
    Word {
        finder: Box<memmem::Finder<'static>>,
        exact: Option<String>,
        anchor: Anchor,
    },
    Regex {
        regex: regex::Regex,
        exact: Option<regex::Regex>,
    },
    Fuzzy {
        pattern: Box<nucleo_matcher::pattern::Atom>,
        case_sensitive: bool,
    },
    /// A column of texts: which of them match.
    Text {
        column: fn(&Row) -> Str,
        set: Vec<bool>,
    },
    Tag(Vec<bool>),
    Owner {
        set: FxHashSet<u32>,
        none: bool,
    },
    System(FxHashSet<u32>),
    Ids(FxHashSet<u32>),
    Relation {
        relation: &'static str,
        targets: Option<FxHashSet<u32>>,
    },
    Source(Vec<bool>),
    Metadata {
        field: &'static str,
        values: Vec<Glob>,
        inside: bool,
    },
    Pair {
        map: &'static str,
        pairs: Vec<(Glob, Option<Glob>)>,
    },
    Path {
        path: &'a str,
        values: Vec<Glob>,
    },
    Compare {
        count: Count,
        op: Op,
        value: u64,
    },
    State {
        state: State,
        ids: FxHashSet<u32>,
    },
    Labels(&'a Selector),
}

impl<'a> Bound<'a> {
    fn new(query: &'a Query, catalog: &'a Catalog, viewer: &Viewer) -> Self {
        let binder = Binder { catalog, viewer };
        let mut conditions = Vec::new();
        if !query.kinds.is_empty() {
            let globs = query.kinds.iter().map(|kind| Glob::exact(&kind.to_lowercase())).collect::<Vec<_>>();
            conditions.push(Condition { negated: false, any: vec![binder.text(|row| row.kind, &globs)] });
        }
        if let Some(namespace) = &query.namespace {
            let globs = [Glob::exact(&namespace.to_lowercase())];
            conditions
                .push(Condition { negated: false, any: vec![binder.text(|row| row.namespace, &globs)] });
        }
        for term in query.filter.terms() {
            let any = term.any.iter().map(|atom| binder.bind(atom)).collect();
            conditions.push(Condition { negated: term.negated, any });
        }
        if let Some(selector) = query.selector.as_ref().filter(|s| !s.requirements().is_empty()) {
            conditions.push(Condition { negated: false, any: vec![Test::Labels(selector)] });
        }
        // cheap ones first; the order of equals stays
        conditions.sort_by_key(|condition| condition.any.iter().map(Test::cost).max());
        Self { catalog, conditions }
    }

    fn search(&self, ids: Range<u32>) -> Vec<EntityId> {
        let mut scratch = Scratch::default();
        let mut out = Vec::new();
        match self.conditions.split_first() {
            // one substring is looked for in the text of the whole chunk at once
            Some((first, rest)) => match (first.negated, first.any.as_slice()) {
                (false, [Test::Word { finder, exact: None, anchor: Anchor::Anywhere }]) => {
                    self.scan(finder, ids, |id| {
                        if self.all(rest, id, &mut scratch) {
                            out.push(EntityId(id));
                        }
                    });
                }
                _ => out.extend(ids.filter(|id| self.all(&self.conditions, *id, &mut scratch)).map(EntityId)),
            },
            None => out.extend(ids.map(EntityId)),
        }
        out
    }

    /// Calls `found` once for each entity of the range whose haystack has the needle.
    fn scan(&self, finder: &memmem::Finder<'_>, ids: Range<u32>, mut found: impl FnMut(u32)) {
        let haystack = &self.catalog.haystack;
        let ends: &[u32] = &haystack.ends;
        let end = |id: u32| ends.get(id as usize).copied().unwrap_or(0) as usize;
        let begin = |id: u32| if id == 0 { 0 } else { end(id - 1) };
        let text = &*haystack.text;
        let (mut id, stop) = (ids.start, end(ids.end.saturating_sub(1)));
        let mut at = begin(id);
        while id < ids.end {
            let Some(hit) = text.get(at..stop).and_then(|rest| finder.find(rest)) else { return };
            let hit = at + hit;
            let run = ends.get(id as usize..ids.end as usize).unwrap_or(&[]);
            id += run.partition_point(|e| *e as usize <= hit) as u32;
            if id >= ids.end {
                return;
            }
            // a hit that reaches into the next entity is none
            if hit + finder.needle().len() <= end(id) {
                found(id);
                at = end(id);
                id += 1;
            } else {
                at = hit + 1;
            }
        }
    }

    fn all(&self, conditions: &[Condition<'_>], id: u32, scratch: &mut Scratch) -> bool {
        let Some(row) = self.catalog.rows.get(id as usize) else { return false };
        conditions.iter().all(|condition| {
            condition.any.iter().any(|test| self.holds(test, id, row, scratch)) != condition.negated
        })
    }

    fn holds(&self, test: &Test<'_>, id: u32, row: &Row, scratch: &mut Scratch) -> bool {
        let catalog = self.catalog;
        let entity = || catalog.entity(EntityId(id));
        match test {
            Test::Word { finder, exact, anchor } => {
                let haystack = catalog.haystack.bytes_of(id);
                match (anchor, exact) {
                    (Anchor::Anywhere, None) => finder.find(haystack).is_some(),
                    (Anchor::Anywhere, Some(exact)) => {
                        finder.find(haystack).is_some()
                            && entity()
                                .is_some_and(|e| searched(catalog, &e, |text| text.contains(exact.as_str())))
                    }
                    // name and title stand first in the haystack, in lower case
                    (_, None) => {
                        let lower = std::str::from_utf8(finder.needle()).unwrap_or("");
                        catalog
                            .haystack
                            .get(id)
                            .split('\n')
                            .take(2)
                            .any(|text| anchored(text, lower, *anchor))
                    }
                    (_, Some(exact)) => entity().is_some_and(|entity| {
                        let names = [Some(entity.name()), entity.title()];
                        names.into_iter().flatten().any(|text| anchored(text, exact, *anchor))
                    }),
                }
            }
            Test::Regex { regex, exact } => {
                regex.is_match(catalog.haystack.get(id))
                    && exact.as_ref().is_none_or(|exact| {
                        entity().is_some_and(|e| searched(catalog, &e, |text| exact.is_match(text)))
                    })
            }
            Test::Fuzzy { pattern, case_sensitive: false } => {
                catalog.haystack.get(id).split('\n').take(2).any(|text| scratch.fuzzy(pattern, text))
            }
            Test::Fuzzy { pattern, .. } => entity().is_some_and(|entity| {
                let names = [Some(entity.name()), entity.title()];
                names.into_iter().flatten().any(|text| scratch.fuzzy(pattern, text))
            }),
            Test::Text { column, set } => has(set, column(row).0),
            Test::Tag(set) => catalog.tags_of(id).iter().any(|tag| has(set, tag.0)),
            Test::Owner { set, none } => {
                set.contains(&row.owner)
                    || (*none && (row.owner == NONE || row.owner as usize >= catalog.len()))
            }
            Test::System(set) => row.system != NONE && set.contains(&row.system),
            Test::Ids(set) => set.contains(&id),
            Test::Relation { relation, targets } => catalog.relations(EntityId(id)).any(|r| {
                r.relation == *relation && targets.as_ref().is_none_or(|set| set.contains(&r.target.0))
            }),
            Test::Source(set) => {
                catalog.files.source_of(row.file).is_some_and(|source| has(set, u32::from(source)))
            }
            Test::Metadata { field, values, inside } => entity().is_some_and(|entity| {
                let text = match *field {
                    "title" => entity.title(),
                    "name" => Some(entity.name()),
                    field => entity.metadata(field).as_str(),
                };
                text.is_some_and(|text| {
                    let lower = text.to_lowercase();
                    values.is_empty()
                        || values.iter().any(|v| v.is_match(&lower) || (*inside && v.is_inside(&lower)))
                })
            }),
            Test::Pair { map, pairs } => entity().is_some_and(|entity| {
                let value = entity.metadata(map);
                let Some(fields) = value.as_object() else { return false };
                if pairs.is_empty() {
                    return !fields.is_empty();
                }
                fields.iter().any(|(key, value)| {
                    let (key, text) =
                        (key.to_lowercase(), value.scalar_text().unwrap_or_default().to_lowercase());
                    pairs
                        .iter()
                        .any(|(k, v)| k.is_match(&key) && v.as_ref().is_none_or(|v| v.is_match(&text)))
                })
            }),
            Test::Path { path, values } => {
                entity().is_some_and(|entity| at_path(entity.value(), path, values))
            }
            Test::Compare { count, op, value } => {
                entity().is_some_and(|entity| op.holds(count_of(catalog, &entity, *count), *value))
            }
            Test::State { state, ids } => match state {
                State::Mine => ids.contains(&id) || ids.contains(&row.owner),
                State::Starred | State::Broken => ids.contains(&id),
                State::Orphan => row.flags & flag::ORPHAN != 0,
                State::Stale => entity().is_some_and(|entity| {
                    entity.source().is_some_and(|source| source.error.is_some())
                        || entity.problems().any(|problem| problem.code == LAST_GOOD)
                }),
                State::Invalid => row.flags & flag::INVALID != 0,
                State::Warning => row.flags & flag::HAS_WARNINGS != 0,
                State::Unknown => row.flags & flag::UNKNOWN_KIND != 0,
                State::Unowned => is_unowned(catalog, row),
                State::Dangling => catalog.relations(EntityId(id)).any(|r| !catalog.is_entity(r.target)),
            },
            Test::Labels(selector) => {
                entity().is_some_and(|entity| selector.matches(entity.metadata("labels")))
            }
        }
    }
}

impl Test<'_> {
    /// Rough order of expense, so that columns are asked before texts are read.
    fn cost(&self) -> u8 {
        match self {
            Self::Text { .. } | Self::Owner { .. } | Self::System(_) | Self::Ids(_) | Self::Source(_) => 0,
            Self::State { .. } | Self::Tag(_) => 1,
            Self::Word { anchor: Anchor::Anywhere, exact: None, .. } => 2,
            Self::Relation { .. } | Self::Compare { .. } => 3,
            Self::Word { .. } | Self::Regex { .. } => 4,
            _ => 5,
        }
    }
}

/// Buffers of one chunk.
#[derive(Default)]
struct Scratch {
    matcher: Option<nucleo_matcher::Matcher>,
    letters: Vec<char>,
}

impl Scratch {
    fn fuzzy(&mut self, pattern: &nucleo_matcher::pattern::Atom, text: &str) -> bool {
        let matcher =
            self.matcher.get_or_insert_with(|| nucleo_matcher::Matcher::new(nucleo_matcher::Config::DEFAULT));
        pattern.score(nucleo_matcher::Utf32Str::new(text, &mut self.letters), matcher).is_some()
    }
}

fn has(set: &[bool], index: u32) -> bool {
    set.get(index as usize).copied().unwrap_or(false)
}

fn anchored(text: &str, wanted: &str, anchor: Anchor) -> bool {
    match anchor {
        Anchor::Anywhere => text.contains(wanted),
        Anchor::Start => text.starts_with(wanted),
        Anchor::End => text.ends_with(wanted),
        Anchor::Whole => text == wanted,
    }
}

/// Returns whether a test holds for one of the texts that the haystack is made of, as they are written.
fn searched(catalog: &Catalog, entity: &Entity<'_>, test: impl Fn(&str) -> bool) -> bool {
    let ends = [entity.owner(), entity.system()];
    test(entity.name())
        || entity.title().is_some_and(&test)
        || test(entity.entity_type())
        || ends.into_iter().flatten().any(|id| test(split_canonical(catalog.ref_of(id)).2))
        || entity.tags().any(&test)
        || test(entity.description())
}

/// Whether an entity that should have an owner has none that exists. People, groups and Locations are
/// not owned.
fn is_unowned(catalog: &Catalog, row: &Row) -> bool {
    let kind = catalog.text(row.kind);
    !["User", "Group", "Location"].iter().any(|k| kind.eq_ignore_ascii_case(k))
        && (row.owner == NONE || row.owner as usize >= catalog.len())
}

/// Returns a count of an entity.
fn count_of(catalog: &Catalog, entity: &Entity<'_>, count: Count) -> u64 {
    let relations = |types: &[&str]| entity.relations().filter(|r| types.contains(&r.relation)).count();
    let number = match count {
        Count::Relations => entity.relations().count(),
        Count::Tags => entity.tags().count(),
        Count::Links => entity.metadata("links").as_array().map_or(0, |links| links.len()),
        Count::Dependents => relations(&["dependencyOf", "apiConsumedBy"]),
        Count::Dependencies => relations(&["dependsOn", "consumesApi"]),
        Count::Parts => relations(&["hasPart"]),
        Count::Members => relations(&["hasMember"]),
        Count::Owns => relations(&["ownerOf"]),
        Count::Problems => catalog.problems(entity.id()).count(),
    };
    number as u64
}

/// Follows a dotted path whose keys may themselves hold dots; lists are entered on the way.
fn at_path(value: ValueRef<'_>, path: &str, values: &[Glob]) -> bool {
    if let ValueRef::Array(items) = value {
        // `metadata.tags.java` asks whether the list has the item
        return items.iter().any(|item| {
            at_path(item, path, values)
                || item.as_str().is_some_and(|text| {
                    !path.is_empty()
                        && text.eq_ignore_ascii_case(path)
                        && (values.is_empty() || values.iter().any(|v| v.is_match("true")))
                })
        });
    }
    if path.is_empty() {
        return match value {
            ValueRef::Object(_) | ValueRef::Null => values.is_empty(),
            scalar => {
                values.is_empty()
                    || scalar
                        .scalar_text()
                        .is_some_and(|text| values.iter().any(|v| v.is_match(&text.to_lowercase())))
            }
        };
    }
    let Some(fields) = value.as_object() else { return false };
    fields.iter().any(|(key, value)| {
        let Some(head) = path.get(..key.len()) else { return false };
        if !head.eq_ignore_ascii_case(key) {
            return false;
        }
        match path.get(key.len()..) {
            Some("") => at_path(value, "", values),
            Some(rest) => rest.strip_prefix('.').is_some_and(|rest| at_path(value, rest, values)),
            None => false,
        }
    })
}

/// Turns atoms into tests on a snapshot.
struct Binder<'a, 'v> {
    catalog: &'a Catalog,
    viewer: &'v Viewer,
}

impl<'a> Binder<'a, '_> {
    fn bind(&self, atom: &'a Atom) -> Test<'a> {
        match atom {
            Atom::Word { text, case_sensitive, anchor } => Test::Word {
                finder: Box::new(memmem::Finder::new(&text.to_lowercase()).into_owned()),
                exact: case_sensitive.then(|| text.clone()),
                anchor: *anchor,
            },
            Atom::Fuzzy(text) => Test::Fuzzy {
                pattern: Box::new(fuzzy_pattern(text)),
                case_sensitive: text.chars().any(char::is_uppercase),
            },
            Atom::Regex { pattern, case_sensitive } => match compile_regex(pattern, false) {
                Ok(regex) => Test::Regex {
                    regex,
                    exact: case_sensitive.then(|| compile_regex(pattern, true).ok()).flatten(),
                },
                // parsing has compiled it before; one that is made by hand and wrong matches nothing
                Err(_) => Test::Ids(FxHashSet::default()),
            },
            Atom::Field { key, values } => self.field(key, values),
            Atom::Compare { count, op, value } => Test::Compare { count: *count, op: *op, value: *value },
            Atom::Is(state) => Test::State { state: *state, ids: self.state_ids(*state) },
            Atom::Labels(selector) => Test::Labels(selector),
        }
    }

    fn state_ids(&self, state: State) -> FxHashSet<u32> {
        let find = |text: &String| self.catalog.find(text).map(|id| id.0);
        match state {
            State::Mine => self.viewer.me.iter().filter_map(find).collect(),
            State::Starred => self.viewer.starred.iter().filter_map(find).collect(),
            State::Broken => self.of_health(|word| matches!(word, "down" | "slow")),
            _ => FxHashSet::default(),
        }
    }

    /// The entities whose health is such a word.
    fn of_health(&self, is_wanted: impl Fn(&str) -> bool) -> FxHashSet<u32> {
        let known = self.viewer.health.iter().filter(|(_, word)| is_wanted(word));
        known.filter_map(|(entity, _)| self.catalog.find(entity)).map(|id| id.0).collect()
    }

    fn field(&self, key: &'a Key, values: &'a [String]) -> Test<'a> {
        let globs: Vec<Glob> = values.iter().map(|value| Glob::new(value)).collect();
        match key {
            Key::Kind => self.text(|row| row.kind, &globs),
            Key::Type => self.text(|row| row.entity_type, &globs),
            Key::Lifecycle => self.text(|row| row.lifecycle, &globs),
            Key::Namespace => self.text(|row| row.namespace, &globs),
            Key::Tag => Test::Tag(self.texts(&globs)),
            Key::Owner => self.owner(values),
            Key::System => Test::System(self.column_ids(|row| row.system, &globs)),
            Key::Domain => self.domain(&globs),
            Key::Name => Test::Metadata { field: "name", values: globs, inside: false },
            Key::Title => Test::Metadata { field: "title", values: globs, inside: false },
            Key::Description => Test::Metadata { field: "description", values: globs, inside: true },
            Key::Label => Test::Pair { map: "labels", pairs: pairs(values) },
            Key::Annotation => Test::Pair { map: "annotations", pairs: pairs(values) },
            Key::Source => Test::Source(
                self.catalog
                    .sources
                    .iter()
                    .map(|source| {
                        let name = source.name.to_lowercase();
                        globs.is_empty() || globs.iter().any(|glob| glob.is_match(&name))
                    })
                    .collect(),
            ),
            Key::Status => Test::Ids(
                self.of_health(|word| globs.is_empty() || globs.iter().any(|glob| glob.is_match(word))),
            ),
            Key::Relation(relation) => Test::Relation {
                relation,
                targets: (!globs.is_empty()).then(|| {
                    (0..self.catalog.node_count() as u32)
                        .filter(|id| globs.iter().any(|glob| glob.matches_ref(self.catalog.refs.get(*id))))
                        .collect()
                }),
            },
            Key::Ref(kind) => Test::Ids(
                self.catalog
                    .ids()
                    .filter(|id| {
                        let text = self.catalog.ref_of(*id);
                        split_canonical(text).0 == kind
                            && (globs.is_empty() || globs.iter().any(|glob| glob.matches_ref(text)))
                    })
                    .map(|id| id.0)
                    .collect(),
            ),
            Key::Path(path) => Test::Path { path, values: globs },
        }
    }

    fn text(&self, column: fn(&Row) -> Str, globs: &[Glob]) -> Test<'a> {
        Test::Text { column, set: self.texts(globs) }
    }

    /// Which interned texts match; without values every text but the empty one.
    fn texts(&self, globs: &[Glob]) -> Vec<bool> {
        (0..self.catalog.texts.len() as u32)
            .map(|id| {
                let text = self.catalog.texts.get(id);
                if globs.is_empty() {
                    return !text.is_empty();
                }
                let lower = text.to_lowercase();
                globs.iter().any(|glob| glob.is_match(&lower))
            })
            .collect()
    }

    /// The ids in a column whose refs match.
    fn column_ids(&self, column: fn(&Row) -> u32, globs: &[Glob]) -> FxHashSet<u32> {
        let mut ids: FxHashSet<u32> = self.catalog.rows.iter().map(column).filter(|id| *id != NONE).collect();
        ids.retain(|id| {
            globs.is_empty() || globs.iter().any(|glob| glob.matches_ref(self.catalog.refs.get(*id)))
        });
        ids
    }

    fn owner(&self, values: &[String]) -> Test<'a> {
        let (special, named): (Vec<_>, Vec<_>) = values.iter().partition(|v| *v == "me" || *v == "none");
        let mut set = FxHashSet::default();
        if !named.is_empty() || values.is_empty() {
            let globs: Vec<Glob> = named.iter().map(|value| Glob::new(value)).collect();
            set = self.column_ids(|row| row.owner, &globs);
        }
        if special.iter().any(|v| *v == "me") {
            set.extend(self.viewer.me.iter().filter_map(|me| self.catalog.find(me)).map(|id| id.0));
        }
        Test::Owner { set, none: special.iter().any(|v| *v == "none") }
    }

    /// Entities whose system, or the system's domain, or the domain's domain, matches.
    fn domain(&self, globs: &[Glob]) -> Test<'a> {
        let parent =
            |id: u32| self.catalog.rows.get(id as usize).map(|row| row.system).filter(|p| *p != NONE);
        let is_match = |id: u32| {
            let text = self.catalog.refs.get(id);
            split_canonical(text).0 == "domain"
                && (globs.is_empty() || globs.iter().any(|glob| glob.matches_ref(text)))
        };
        // four steps up: component in component, system, domain, domain
        let inside = |id: u32| {
            let mut at = parent(id);
            for _ in 0..4 {
                match at {
                    Some(up) if is_match(up) => return true,
                    Some(up) => at = parent(up),
                    None => return false,
                }
            }
            false
        };
        Test::Ids((0..self.catalog.len() as u32).filter(|id| inside(*id)).collect())
    }
}

fn pairs(values: &[String]) -> Vec<(Glob, Option<Glob>)> {
    values
        .iter()
        .map(|text| match text.split_once('=') {
            Some((key, value)) => (Glob::new(key), Some(Glob::new(value))),
            None => (Glob::new(text), None),
        })
        .collect()
}

/// A value of the filter language: lower case, `*` stands for any text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob {
    parts: Vec<String>,
}

impl Glob {
    pub(super) fn new(text: &str) -> Self {
        Self { parts: text.split('*').map(str::to_owned).collect() }
    }

    fn exact(text: &str) -> Self {
        Self { parts: vec![text.to_owned()] }
    }

    /// Compares with a lower-cased text.
    pub(super) fn is_match(&self, text: &str) -> bool {
        let [first, middle @ .., last] = self.parts.as_slice() else {
            return self.parts.first().is_some_and(|only| only == text);
        };
        let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
        for part in middle {
            match rest.find(part.as_str()) {
                Some(at) => rest = rest.get(at + part.len()..).unwrap_or(""),
                None => return false,
            }
        }
        rest.ends_with(last.as_str())
    }

    /// Whether a value without `*` stands anywhere in the text.
    fn is_inside(&self, text: &str) -> bool {
        matches!(self.parts.as_slice(), [only] if text.contains(only.as_str()))
    }

    /// Compares with a canonical ref, its name, `namespace/name` or `kind:name`.
    fn matches_ref(&self, canonical: &str) -> bool {
        let (kind, namespace, name) = split_canonical(canonical);
        if self.is_match(name) || self.is_match(canonical) {
            return true;
        }
        if !self.parts.iter().any(|part| part.contains([':', '/'])) {
            return false;
        }
        self.is_match(&format!("{namespace}/{name}"))
            || (namespace == "default" && self.is_match(&format!("{kind}:{name}")))
    }
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
