//! The form of a template: a pure machine over pages of JSON Schema with `ui:` keys.
//!
//! Start at [`Form`]. It holds the answers and says at any time which fields there are ([`Form::fields`]), what is
//! missing or wrong ([`Form::gaps`]) and what follows from a change ([`Changed`]). It reads no file, asks no
//! network and no catalog: what it looks for it says ([`Form::lookup`]), and [`suggest`] answers from a snapshot.
//! The same form serves the wizard, the prompts and the run without a screen.
//!
//! Everything is bounded: schemas are foreign. A schema too large to follow is followed in part, never for ever.

mod check;
mod draft;
mod field;
mod format;
mod json;
mod kind;
mod pattern;
mod picker;
mod repo;
mod resolve;
mod review;
mod rule;
mod ui;
mod walk;
mod whole;
mod yaml;

pub use draft::Draft;
pub use field::{
    Changed, Choice, Facts, Field, Gap, Host, HostKind, NoField, PageView, Part, ReviewRow, Told, Widget,
};
pub use picker::{CatalogFilter, Lookup, MAX_CHOICES, What, is_candidate, suggest};
pub use repo::RepoUrl;
pub use yaml::read_answers;

use self::check::{Checker, Fault};
use self::json::{Json, Map, is_within, join};
use self::kind::Kind;
use self::pattern::Patterns;
use self::resolve::Resolver;
use self::ui::Ui;
use self::walk::{Inner, Walk};
use super::{Template, Value};
use rustc_hash::FxHashMap;
use secrecy::{ExposeSecret, SecretString};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Steps of schemas that are taken for one change; some milliseconds.
const BUDGET: u32 = 400_000;
/// Rounds in which defaults and branches follow from each other.
const MAX_ROUNDS: usize = 8;

/// A page: its schema without what feature flags hide.
#[derive(Debug)]
struct Page {
    title: String,
    description: String,
    schema: Json,
    ui: Json,
    /// Its number in the template.
    number: usize,
}

/// The answers and what was typed.
#[derive(Debug, Default)]
pub struct State {
    values: Json,
    /// Typed texts that are no values.
    raw: BTreeMap<String, String>,
    /// Which of several forms somebody chose, by selector.
    options: BTreeMap<String, usize>,
    /// Secrets by the name of their field.
    secrets: BTreeMap<String, SecretString>,
}

impl Default for Json {
    fn default() -> Self {
        Self::object()
    }
}

impl State {
    /// Returns the text of the secret at a pointer.
    fn secret_text(&self, pointer: &str) -> Option<String> {
        self.secrets.get(&secret_name(pointer)).map(|secret| secret.expose_secret().to_owned())
    }
}

fn secret_name(pointer: &str) -> String {
    json::steps(pointer).last().unwrap_or_default()
}

/// A form that is being filled in.
#[derive(Debug)]
pub struct Form {
    template: Arc<Template>,
    facts: Facts,
    pages: Vec<Page>,
    patterns: Patterns,
    state: State,
    /// Answers whose questions went, in case they come back.
    attic: BTreeMap<String, Json>,
    /// Fields that had their default, or an answer.
    touched: BTreeSet<String>,
    /// Fields whose mistakes are shown.
    shown: BTreeSet<String>,
    visited: BTreeSet<usize>,
    current: usize,
    fields: Vec<Vec<Field>>,
    inner: FxHashMap<String, Inner>,
    faults: Vec<(usize, Fault)>,
}

impl Form {
    /// Creates a form with answers to begin with (an object; anything else counts as none); defaults fill
    /// what they leave open.
    pub fn new(template: Arc<Template>, answers: &Value, facts: Facts) -> Self {
        Self::with_options(template, answers, facts, BTreeMap::new())
    }

    fn with_options(
        template: Arc<Template>,
        answers: &Value,
        facts: Facts,
        options: BTreeMap<String, usize>,
    ) -> Self {
        let mut values = Json::of(answers);
        values.fields_mut();
        let mut form = Self {
            pages: pages(&template, &facts),
            template,
            facts,
            patterns: Patterns::default(),
            state: State { values, options, ..State::default() },
            attic: BTreeMap::new(),
            touched: BTreeSet::new(),
            shown: BTreeSet::new(),
            visited: BTreeSet::new(),
            current: 0,
            fields: Vec::new(),
            inner: FxHashMap::default(),
            faults: Vec::new(),
        };
        form.settle();
        form.take_secrets();
        form.settle();
        form
    }

    /// Returns the template it belongs to.
    pub fn template(&self) -> &Arc<Template> {
        &self.template
    }

    /// Returns the pages, in order.
    pub fn pages(&self) -> Vec<PageView> {
        let gaps = |at: usize| self.faults.iter().filter(|(page, _)| *page == at).count();
        let view = |(page, at): (&Page, usize)| PageView {
            title: page.title.clone(),
            description: page.description.clone(),
            gaps: gaps(at),
            is_visited: self.visited.contains(&at),
        };
        self.pages.iter().zip(0..).map(view).collect()
    }

    /// Returns the rows of a page that are visible now.
    pub fn fields(&self, page: usize) -> &[Field] {
        self.fields.get(page).map_or(&[], Vec::as_slice)
    }

    /// Returns a visible row.
    pub fn field(&self, pointer: &str) -> Option<&Field> {
        let page = self.inner.get(pointer)?.page;
        self.fields(page).iter().find(|field| field.pointer == pointer)
    }

    /// Returns the page that is shown, from 0.
    pub fn current(&self) -> usize {
        self.current
    }

    /// Shows a page; it counts as visited.
    pub fn visit(&mut self, page: usize) {
        self.current = page.min(self.pages.len().saturating_sub(1));
        self.visited.insert(self.current);
    }

    /// Returns the answers, an object; secrets are asterisks.
    pub fn answers(&self) -> Value {
        self.state.values.to_value()
    }

    /// Returns the answer at a pointer; undefined when there is none.
    pub fn answer(&self, pointer: &str) -> Value {
        self.state.values.at(pointer).map_or(Value::UNDEFINED, Json::to_value)
    }

    /// Returns the secrets by name; never kept, never shown.
    pub fn secrets(&self) -> &BTreeMap<String, SecretString> {
        &self.state.secrets
    }

    /// Sets a secret by its name: one that a field asks for, or one that the template wants beside the answers.
    pub fn set_secret(&mut self, name: &str, secret: SecretString) {
        let pointers = self
            .inner
            .iter()
            .filter(|(pointer, inner)| inner.kind == Kind::Secret && secret_name(pointer) == name);
        let pointers: Vec<String> = pointers.map(|(pointer, _)| pointer.clone()).collect();
        let asterisks = "*".repeat(secret.expose_secret().chars().count());
        for pointer in pointers {
            self.state.values.set(&pointer, Json::from(asterisks.as_str()));
        }
        self.state.secrets.insert(name.to_owned(), secret);
        self.settle();
    }

    /// Names the secrets that the template wants: fields, and what `secrets.schema` requires.
    pub fn wanted_secrets(&self) -> Vec<String> {
        let fields = self
            .inner
            .iter()
            .filter(|(_, inner)| inner.kind == Kind::Secret)
            .map(|(pointer, _)| secret_name(pointer));
        let schema = Json::of(&self.template.secrets_schema);
        let listed = schema
            .get("properties")
            .and_then(Json::as_object)
            .into_iter()
            .flat_map(Map::iter)
            .map(|(name, _)| name.to_string());
        let required = json::json_list(schema.get("required")).iter().map(Json::text).collect::<Vec<_>>();
        let all: BTreeSet<String> = fields.chain(listed).chain(required).collect();
        all.into_iter().collect()
    }

    /// Sets an answer; an undefined value takes it away. Says what follows for others.
    ///
    /// # Errors
    /// When the field is not asked for now.
    #[expect(clippy::needless_pass_by_value, reason = "the form keeps what it is given")]
    pub fn set(&mut self, pointer: &str, value: Value) -> Result<Changed, NoField> {
        let inner = self.asked(pointer)?;
        let json = (!value.is_undefined()).then(|| Json::of(&value));
        Ok(self.store(pointer, &inner, json))
    }

    /// Sets an answer from what a person typed, by the field's type; an empty text takes it away. What is no
    /// value stays as typed, and the field says what is wrong.
    ///
    /// # Errors
    /// When the field is not asked for now.
    pub fn set_text(&mut self, pointer: &str, typed: &str) -> Result<Changed, NoField> {
        let inner = self.asked(pointer)?;
        let empty = inner.ui.get("emptyValue").filter(|value| !matches!(value, Json::Null));
        if typed.is_empty() || typed.trim().is_empty() && !matches!(inner.kind, Kind::Text | Kind::Secret) {
            let value = empty.cloned();
            return Ok(self.store(pointer, &inner, value));
        }
        match inner.kind.parse(typed, &inner.schema, &inner.ui) {
            Some(value) => Ok(self.store(pointer, &inner, Some(value))),
            None => {
                self.clear(pointer);
                self.state.raw.insert(pointer.to_owned(), typed.to_owned());
                Ok(self.settle_after(pointer))
            }
        }
    }

    /// Sets several answers by the names that people write: `name`, `database.size`, `/tags/0`. Those that are
    /// asked for only because of others may come first.
    pub fn set_all(&mut self, typed: &[(String, String)]) -> Vec<NoField> {
        let mut left: Vec<&(String, String)> = typed.iter().collect();
        loop {
            let before = left.len();
            left.retain(|(name, text)| self.set_text(&pointer_of(name), text).is_err());
            if left.is_empty() || left.len() == before {
                return left
                    .into_iter()
                    .filter_map(|(name, text)| self.set_text(&pointer_of(name), text).err())
                    .collect();
            }
        }
    }

    /// Adds an item to the end of a list; returns its pointer.
    ///
    /// # Errors
    /// When the list is not asked for now, or takes no more.
    pub fn add_item(&mut self, pointer: &str) -> Result<(String, Changed), NoField> {
        let inner = self.asked(pointer)?;
        let items = json::json_list(self.state.values.at(pointer)).to_vec();
        let can_add =
            self.field(pointer).is_some_and(|field| matches!(field.widget, Widget::List { can_add: true }));
        if inner.kind != Kind::List || !can_add {
            return Err(self.no_field(pointer));
        }
        let of = match inner.schema.get("items") {
            Some(Json::List(each)) => each.get(items.len()).or(inner.schema.get("additionalItems")).cloned(),
            of => of.cloned(),
        };
        let item = walk::new_item(&of.unwrap_or_else(Json::object));
        let at = items.len();
        let items: Vec<Json> = items.into_iter().chain([item]).collect();
        self.state.values.set(pointer, items.into());
        self.touched.insert(pointer.to_owned());
        Ok((format!("{pointer}/{at}"), self.settle_after(pointer)))
    }

    /// Takes an item out of its list, or a key out of its mapping.
    ///
    /// # Errors
    /// When it is no such row, or has to stay.
    pub fn remove_item(&mut self, pointer: &str) -> Result<Changed, NoField> {
        let part = self.field(pointer).map(|field| field.part);
        let list = parent(pointer);
        match part {
            Some(Part::Item { can_remove: true, .. }) => {
                let at = index(pointer);
                self.state.values.remove(pointer);
                self.rekey(&list, |old| match old.cmp(&at) {
                    std::cmp::Ordering::Less => Some(old),
                    std::cmp::Ordering::Equal => None,
                    std::cmp::Ordering::Greater => Some(old - 1),
                });
            }
            Some(Part::Entry) => {
                self.state.values.remove(pointer);
                self.state.raw.remove(pointer);
            }
            _ => return Err(self.no_field(pointer)),
        }
        Ok(self.settle_after(&list))
    }

    /// Lets an item change places with the one before it, or with the one behind it; returns its new pointer.
    ///
    /// # Errors
    /// When it is no item, or there is none to change with.
    pub fn move_item(&mut self, pointer: &str, is_up: bool) -> Result<(String, Changed), NoField> {
        let part = self.field(pointer).map(|field| field.part);
        match part {
            Some(Part::Item { can_up: true, .. }) if is_up => {}
            Some(Part::Item { can_down: true, .. }) if !is_up => {}
            _ => return Err(self.no_field(pointer)),
        }
        let (list, at) = (parent(pointer), index(pointer));
        let to = if is_up { at - 1 } else { at + 1 };
        if let Some(Json::List(items)) = self.state.values.at_mut(&list) {
            let items = Arc::make_mut(items);
            if at.max(to) < items.len() {
                items.swap(at, to);
            }
        }
        self.rekey(&list, |old| {
            Some(if old == at {
                to
            } else if old == to {
                at
            } else {
                old
            })
        });
        Ok((format!("{list}/{to}"), self.settle_after(&list)))
    }

    /// Adds a key to a mapping that takes keys of a person's own; returns the pointer of its value.
    ///
    /// # Errors
    /// When it takes no more, or has that key.
    pub fn add_key(&mut self, pointer: &str, key: &str) -> Result<(String, Changed), NoField> {
        let inner = self.asked(pointer)?;
        let can_add =
            self.field(pointer).is_some_and(|field| matches!(field.widget, Widget::Object { can_add: true }));
        let target = join(pointer, key);
        if !can_add || key.is_empty() || self.state.values.at(&target).is_some() {
            return Err(self.no_field(&target));
        }
        let of = inner.schema.get("additionalProperties").cloned().unwrap_or(Json::Null);
        let value = of.get("default").cloned().unwrap_or_else(|| match rule::type_of(&of) {
            "object" => Json::object(),
            "array" => Vec::new().into(),
            "boolean" => Json::Bool(false),
            "integer" | "number" => Json::Int(0),
            _ => Json::from(""),
        });
        self.state.values.set(&target, value);
        let changed = self.settle_after(&target);
        Ok((target, changed))
    }

    /// Gives a value another key; returns its new pointer.
    ///
    /// # Errors
    /// When it has no key of a person's own, or the new one is taken.
    pub fn rename_key(&mut self, pointer: &str, key: &str) -> Result<(String, Changed), NoField> {
        if self.field(pointer).is_none_or(|field| field.part != Part::Entry) || key.is_empty() {
            return Err(self.no_field(pointer));
        }
        let (mapping, old) = (parent(pointer), json::steps(pointer).last().unwrap_or_default());
        let target = join(&mapping, key);
        let renamed =
            self.state.values.at_mut(&mapping).is_some_and(|mapping| mapping.fields_mut().rename(&old, key));
        if !renamed && old != key {
            return Err(self.no_field(&target));
        }
        let changed = self.settle_after(&target);
        Ok((target, changed))
    }

    /// Checks a field that somebody leaves; returns what is wrong with it.
    pub fn leave(&mut self, pointer: &str) -> Option<String> {
        self.shown.insert(pointer.to_owned());
        self.show_errors();
        self.field(pointer).and_then(|field| field.error.clone())
    }

    /// Checks a page and shows its mistakes at their fields.
    pub fn check(&mut self, page: usize) -> Vec<Gap> {
        let pointers: Vec<String> = self.fields(page).iter().map(|field| field.pointer.clone()).collect();
        self.shown.extend(pointers);
        self.show_errors();
        let gaps: Vec<Gap> = self
            .faults
            .iter()
            .filter(|(at, _)| *at == page)
            .map(|(at, fault)| self.gap(*at, fault))
            .collect();
        if !gaps.is_empty() {
            return gaps;
        }
        whole::faults(self, Some(page)).iter().map(|(at, fault)| self.gap(*at, fault)).collect()
    }

    /// Returns everything that is missing or wrong, on all pages at once, as the server would refuse it.
    pub fn gaps(&self) -> Vec<Gap> {
        let mut gaps: Vec<Gap> = self.faults.iter().map(|(at, fault)| self.gap(*at, fault)).collect();
        for (at, fault) in whole::faults(self, None) {
            let gap = self.gap(at, &fault);
            let is_known = |known: &Gap| {
                is_within(&known.pointer, &gap.pointer) || is_within(&gap.pointer, &known.pointer)
            };
            if !gaps.iter().any(is_known) {
                gaps.push(gap);
            }
        }
        gaps.extend(whole::secret_gaps(self));
        gaps.sort_by_key(|gap| gap.page);
        gaps
    }

    fn gap(&self, page: usize, fault: &Fault) -> Gap {
        let pointer = fault.pointer.split("/~").next().unwrap_or_default().to_owned();
        let title = self
            .inner
            .get(&fault.pointer)
            .or_else(|| self.inner.get(&pointer))
            .map(|inner| inner.title.clone());
        let title = title.unwrap_or_else(|| json::steps(&pointer).last().unwrap_or_default());
        Gap { page, pointer, schema: fault.schema.clone(), title, message: fault.message.clone() }
    }

    /// Returns what a field looks for in the catalog, when it does; [`suggest`] finds it.
    pub fn lookup(&self, pointer: &str, typed: &str) -> Option<Lookup> {
        let inner = self.inner.get(pointer)?;
        let what = match &inner.kind {
            Kind::Picker { what, .. } | Kind::Tags { what } => what.clone(),
            _ => {
                let listed = json::json_list(inner.schema.get("examples"));
                let listed: Vec<String> = listed.iter().filter_map(Json::as_str).map(str::to_owned).collect();
                return (!listed.is_empty()).then(|| Lookup {
                    pointer: pointer.to_owned(),
                    typed: typed.to_owned(),
                    what: What::Listed(listed),
                });
            }
        };
        Some(Lookup { pointer: pointer.to_owned(), typed: typed.to_owned(), what })
    }

    /// Takes the only candidate of a field that has to be given and takes nothing else, as the original does.
    /// `candidates` are those of an empty text. Returns whether it took it.
    pub fn offer(&mut self, pointer: &str, candidates: &[Choice]) -> bool {
        let Some(inner) = self.inner.get(pointer) else { return false };
        let is_single = matches!(inner.kind, Kind::Picker { is_multiple: false, is_free: false, .. });
        let may = is_single && inner.is_required && !inner.ui.is_off("autoSelect");
        let ([only], true, None) = (candidates, may, self.state.values.at(pointer)) else { return false };
        self.set(pointer, only.value.clone()).is_ok()
    }

    /// Returns the lookups of answers that have to be in the catalog; [`is_candidate`] says whether they are.
    pub fn picked(&self) -> Vec<(Lookup, Vec<String>)> {
        let mut all: Vec<(Lookup, Vec<String>)> = Vec::new();
        for (pointer, inner) in &self.inner {
            let Kind::Picker { is_free: false, what, .. } = &inner.kind else { continue };
            let Some(value) = self.state.values.at(pointer) else { continue };
            let refs = value.as_list().map_or_else(|| vec![value.text()], |_| picker::texts(value));
            all.push((Lookup { pointer: pointer.clone(), typed: String::new(), what: what.clone() }, refs));
        }
        all.sort_by(|(left, _), (right, _)| left.pointer.cmp(&right.pointer));
        all
    }

    fn asked(&self, pointer: &str) -> Result<Inner, NoField> {
        self.inner.get(pointer).cloned().ok_or_else(|| self.no_field(pointer))
    }

    fn no_field(&self, pointer: &str) -> NoField {
        let name = pointer.trim_start_matches('/').replace('/', ".");
        let names: Vec<String> = self
            .inner
            .keys()
            .filter(|known| !known.contains("/~"))
            .map(|known| known.trim_start_matches('/').replace('/', "."))
            .collect();
        let near = crate::model::text::nearest(&name, names.iter().map(String::as_str))
            .into_iter()
            .map(str::to_owned)
            .collect();
        NoField { name, near }
    }

    /// Puts a value where it belongs.
    fn store(&mut self, pointer: &str, inner: &Inner, value: Option<Json>) -> Changed {
        self.state.raw.remove(pointer);
        self.touched.insert(pointer.to_owned());
        match (&inner.kind, value) {
            (Kind::Selector, value) => self.select(pointer, value),
            (Kind::RepoPart(part), value) => {
                self.set_repo_part(pointer, part, &value.map(|value| value.text()).unwrap_or_default());
            }
            (Kind::Repo, Some(value)) => {
                let url = RepoUrl::parse(&value.text(), &self.facts);
                let text = url.text(repo::kind_of(&url.host, &self.facts));
                self.state.values.set(pointer, Json::from(text.as_str()));
            }
            (Kind::Secret, Some(value)) => self.keep_secret(pointer, &value),
            (_, Some(value)) => {
                self.state.values.set(pointer, value);
            }
            (_, None) => self.clear(pointer),
        }
        self.settle_after(pointer)
    }

    fn select(&mut self, pointer: &str, value: Option<Json>) {
        let choices = match self.field(pointer).map(|field| &field.widget) {
            Some(Widget::Choice { choices, .. }) => choices.clone(),
            _ => Vec::new(),
        };
        let typed = value.map(|value| value.text()).unwrap_or_default();
        let by_label = choices.iter().position(|choice| choice.label.eq_ignore_ascii_case(typed.trim()));
        let at = by_label.or_else(|| typed.trim().parse::<usize>().ok().filter(|at| *at < choices.len()));
        if let Some(at) = at {
            self.state.options.insert(pointer.to_owned(), at);
        }
    }

    fn set_repo_part(&mut self, pointer: &str, part: &str, text: &str) {
        let whole = pointer.split("/~").next().unwrap_or_default().to_owned();
        let Some(inner) = self.inner.get(&whole) else { return };
        let mut url = effective_repo(self.state.values.at(&whole), &inner.ui, &self.facts);
        if part == "host" {
            url.host = text.trim().to_owned();
        } else {
            url.set(part, text);
        }
        let kind = repo::kind_of(&url.host, &self.facts);
        // parts of another kind of host mean nothing here
        url.parts.retain(|(name, _)| kind.parts().iter().any(|part| part.name == name));
        self.touched.insert(whole.clone());
        self.state.values.set(&whole, Json::from(url.text(kind).as_str()));
    }

    fn keep_secret(&mut self, pointer: &str, value: &Json) {
        let text = value.text();
        let asterisks = "*".repeat(text.chars().count());
        // asterisks alone are what a form shows of a secret, not one
        let is_shown = !text.is_empty() && text == asterisks;
        if !is_shown {
            self.state.secrets.insert(secret_name(pointer), SecretString::from(text));
        }
        self.state.values.set(pointer, Json::from(asterisks.as_str()));
    }

    /// Moves secrets out of answers that came with the form.
    fn take_secrets(&mut self) {
        let given: Vec<(String, Json)> = self
            .inner
            .iter()
            .filter(|(_, inner)| inner.kind == Kind::Secret)
            .filter_map(|(pointer, _)| Some((pointer.clone(), self.state.values.at(pointer)?.clone())))
            .collect();
        for (pointer, value) in given {
            self.keep_secret(&pointer, &value);
            if !self.state.secrets.contains_key(&secret_name(&pointer)) {
                self.state.values.remove(&pointer);
            }
        }
    }

    /// Takes an answer away; an item of a list stays, empty.
    fn clear(&mut self, pointer: &str) {
        if self.inner.get(pointer).is_some_and(|inner| inner.kind == Kind::Secret) {
            self.state.secrets.remove(&secret_name(pointer));
        }
        let is_item = self.field(pointer).is_some_and(|field| matches!(field.part, Part::Item { .. }));
        if is_item {
            self.state.values.set(pointer, Json::Null);
            return;
        }
        self.state.values.remove(pointer);
        // an object that was there for this answer only goes with it
        let above = parent(pointer);
        let is_optional =
            self.inner.get(&above).is_some_and(|inner| inner.kind == Kind::Object && !inner.is_required);
        let is_own = self.field(&above).is_some_and(|field| field.part == Part::Own);
        let is_empty = self.state.values.at(&above).and_then(Json::as_object).is_some_and(Map::is_empty);
        if is_optional && is_own && is_empty && !above.is_empty() {
            self.clear(&above);
        }
    }

    /// Moves what is known by pointer when items of a list change places.
    fn rekey(&mut self, list: &str, to: impl Fn(usize) -> Option<usize>) {
        let moved = |pointer: &str| -> Option<String> {
            let Some(rest) = pointer.strip_prefix(list).and_then(|rest| rest.strip_prefix('/')) else {
                return Some(pointer.to_owned());
            };
            let (at, below) = rest.split_once('/').map_or((rest, None), |(at, below)| (at, Some(below)));
            let Ok(at) = at.parse::<usize>() else { return Some(pointer.to_owned()) };
            let at = to(at)?;
            Some(below.map_or_else(|| format!("{list}/{at}"), |below| format!("{list}/{at}/{below}")))
        };
        self.state.raw = std::mem::take(&mut self.state.raw)
            .into_iter()
            .filter_map(|(key, value)| Some((moved(&key)?, value)))
            .collect();
        self.state.options = std::mem::take(&mut self.state.options)
            .into_iter()
            .filter_map(|(key, value)| Some((moved(&key)?, value)))
            .collect();
        self.attic = std::mem::take(&mut self.attic)
            .into_iter()
            .filter_map(|(key, value)| Some((moved(&key)?, value)))
            .collect();
        self.touched = std::mem::take(&mut self.touched).iter().filter_map(|key| moved(key)).collect();
        self.shown = std::mem::take(&mut self.shown).iter().filter_map(|key| moved(key)).collect();
    }

    /// Works out what follows from a change of one field.
    fn settle_after(&mut self, pointer: &str) -> Changed {
        let known: BTreeSet<(String, &'static str)> =
            self.faults.iter().map(|(_, fault)| (fault.pointer.clone(), fault.keyword)).collect();
        let mut changed = self.settle();
        let is_new = |fault: &Fault| {
            fault.keyword != "required"
                && !known.contains(&(fault.pointer.clone(), fault.keyword))
                && !is_within(&fault.pointer, pointer)
                && !is_within(pointer, &fault.pointer)
        };
        let invalid: Vec<Told> = self
            .faults
            .iter()
            .filter(|(_, fault)| is_new(fault))
            .map(|(page, fault)| {
                let gap = self.gap(*page, fault);
                Told { pointer: gap.pointer, title: gap.title, text: gap.message }
            })
            .collect();
        changed.invalid = invalid;
        changed
    }

    /// Repeats the walk until neither defaults nor branches follow from it.
    fn settle(&mut self) -> Changed {
        let mut changed = Changed::default();
        let budget = Cell::new(BUDGET);
        for round in 1..=MAX_ROUNDS {
            let before = std::mem::take(&mut self.inner);
            let wanted = self.walk(&budget);
            if round == MAX_ROUNDS {
                break;
            }
            let is_first = before.is_empty();
            let dropped = !is_first && self.drop_answers(&before, &mut changed);
            let filled = self.fill(wanted, &mut changed);
            if !dropped && !filled {
                break;
            }
        }
        self.show_errors();
        // what came back in a later round did not go
        let is_back = |told: &Told| self.state.values.at(&told.pointer).is_some();
        changed.dropped.retain(|told| !is_back(told));
        changed.restored.retain(is_back);
        changed
    }

    fn walk(&mut self, budget: &Cell<u32>) -> Vec<(String, Json, bool)> {
        let (mut fields, mut faults, mut wanted) = (Vec::new(), Vec::new(), Vec::new());
        let mut inner = FxHashMap::default();
        for (page, at) in self.pages.iter().zip(0..) {
            let checker = Checker { root: &page.schema, patterns: &self.patterns, budget };
            let mut walk = Walk {
                resolver: Resolver { checker },
                state: &self.state,
                facts: &self.facts,
                page: at,
                fields: Vec::new(),
                inner,
                faults: Vec::new(),
                wanted: Vec::new(),
            };
            walk.page(&page.schema, &page.ui);
            fields.push(walk.fields);
            faults.extend(walk.faults.into_iter().map(|mut fault| {
                fault.schema = renumbered(&fault.schema, at, page.number);
                (at, fault)
            }));
            wanted.extend(walk.wanted);
            inner = walk.inner;
        }
        self.fields = fields;
        self.faults = faults;
        self.inner = inner;
        wanted
    }

    /// Takes away answers whose questions are no longer asked, and those of another type than is asked for now.
    fn drop_answers(&mut self, before: &FxHashMap<String, Inner>, changed: &mut Changed) -> bool {
        let mut gone: Vec<(&String, &Inner)> = before
            .iter()
            .filter(|(pointer, old)| match self.inner.get(*pointer) {
                None => true,
                Some(new) => {
                    rule::type_of(&old.schema) != rule::type_of(&new.schema) && !self.fits_type(pointer, new)
                }
            })
            .collect();
        gone.sort_by_key(|(pointer, _)| *pointer);
        let mut any = false;
        for (pointer, inner) in gone {
            self.state.raw.remove(pointer);
            if matches!(inner.kind, Kind::Selector) {
                self.state.options.remove(pointer);
                continue;
            }
            if matches!(inner.kind, Kind::RepoPart(_)) {
                continue;
            }
            let Some(value) = self.state.values.remove(pointer) else { continue };
            any = true;
            self.shown.remove(pointer);
            self.touched.remove(pointer);
            if inner.kind == Kind::Secret {
                self.state.secrets.remove(&secret_name(pointer));
            } else if inner.schema.get("const").is_none() {
                self.attic.insert(pointer.clone(), value.clone());
            }
            if !inner.is_hidden && inner.schema.get("const").is_none() {
                let text = if inner.is_masked { "******".to_owned() } else { inner.kind.text(&value) };
                changed.dropped.push(Told { pointer: pointer.clone(), title: inner.title.clone(), text });
            }
        }
        any
    }

    fn fits_type(&self, pointer: &str, inner: &Inner) -> bool {
        let Some(value) = self.state.values.at(pointer) else { return true };
        let budget = Cell::new(1_000);
        let root = Json::object();
        let checker = Checker { root: &root, patterns: &self.patterns, budget: &budget };
        let word: Json =
            [("type", Json::from(rule::type_of(&inner.schema)))].into_iter().collect::<Map>().into();
        checker.is_valid(&word, value)
    }

    /// Gives fields without an answer the one they had before, else their default.
    fn fill(&mut self, wanted: Vec<(String, Json, bool)>, changed: &mut Changed) -> bool {
        let mut any = false;
        let back: Vec<String> =
            self.attic.keys().filter(|pointer| self.inner.contains_key(*pointer)).cloned().collect();
        for pointer in back {
            let Some(value) = self.attic.remove(&pointer) else { continue };
            let Some(inner) = self.inner.get(&pointer) else { continue };
            if self.state.values.at(&pointer).is_some() || self.touched.contains(&pointer) {
                continue;
            }
            let told =
                Told { pointer: pointer.clone(), title: inner.title.clone(), text: inner.kind.text(&value) };
            self.state.values.set(&pointer, value);
            if self.fits_now(&pointer) {
                self.touched.insert(pointer);
                changed.restored.push(told);
                any = true;
            } else {
                self.state.values.remove(&pointer);
            }
        }
        for (pointer, value, is_forced) in wanted {
            let is_open = if is_forced {
                self.state.values.at(&pointer) != Some(&value)
            } else {
                self.state.values.at(&pointer).is_none()
            };
            if !is_open
                || !is_forced && (self.touched.contains(&pointer) || self.state.raw.contains_key(&pointer))
            {
                continue;
            }
            self.touched.insert(pointer.clone());
            any |= self.state.values.set(&pointer, value);
        }
        any
    }

    fn fits_now(&self, pointer: &str) -> bool {
        self.inner.get(pointer).is_some_and(|inner| {
            let Some(value) = self.state.values.at(pointer) else { return true };
            let (budget, root) = (Cell::new(10_000), Json::object());
            Checker { root: &root, patterns: &self.patterns, budget: &budget }.is_valid(&inner.schema, value)
        })
    }

    /// Puts mistakes at the fields that were left.
    fn show_errors(&mut self) {
        let mut first: FxHashMap<&str, &str> = FxHashMap::default();
        for (_, fault) in &self.faults {
            first.entry(&fault.pointer).or_insert(&fault.message);
        }
        for field in self.fields.iter_mut().flatten() {
            let is_shown = self.shown.contains(&field.pointer);
            field.error =
                first.get(field.pointer.as_str()).filter(|_| is_shown).map(|message| (*message).to_owned());
        }
    }
}

/// The pages of a template that feature flags leave, without the fields that they hide.
fn pages(template: &Template, facts: &Facts) -> Vec<Page> {
    let is_on = |flag: &str| facts.flags.contains(flag);
    let visible =
        template.pages.iter().zip(0..).filter(|(page, _)| page.feature_flag.as_deref().is_none_or(is_on));
    visible
        .map(|(page, number)| {
            let schema = flagged(&Json::of(&page.schema), facts, 0);
            let ui = ui::lifted(&schema);
            Page { title: page.title.clone(), description: page.description.clone(), schema, ui, number }
        })
        .collect()
}

/// Returns a schema without the properties whose feature flag is off, nor their mention in `required`.
fn flagged(schema: &Json, facts: &Facts, depth: usize) -> Json {
    if depth > 60 {
        return schema.clone();
    }
    match schema {
        Json::List(items) => {
            items.iter().map(|item| flagged(item, facts, depth + 1)).collect::<Vec<_>>().into()
        }
        Json::Object(map) => {
            let is_off = |property: &Json| {
                property.text_of("backstage:featureFlag").is_some_and(|flag| !facts.flags.contains(flag))
            };
            let properties = map.get("properties").and_then(Json::as_object);
            let off: Vec<&str> = properties
                .into_iter()
                .flat_map(Map::iter)
                .filter(|(_, property)| is_off(property))
                .map(|(name, _)| &**name)
                .collect();
            let kept = |key: &str, value: &Json| match (key, value) {
                ("properties", Json::Object(all)) => all
                    .iter()
                    .filter(|(name, _)| !off.contains(&&***name))
                    .map(|(name, part)| (name.clone(), flagged(part, facts, depth + 1)))
                    .collect::<Map>()
                    .into(),
                ("required", Json::List(names)) => names
                    .iter()
                    .filter(|name| name.as_str().is_none_or(|name| !off.contains(&name)))
                    .cloned()
                    .collect::<Vec<_>>()
                    .into(),
                ("default" | "enum" | "const" | "examples", value) => value.clone(),
                (_, value) => flagged(value, facts, depth + 1),
            };
            map.iter().map(|(key, value)| (key.clone(), kept(key, value))).collect::<Map>().into()
        }
        other => other.clone(),
    }
}

/// Pages that are hidden still count in the paths of the template.
fn renumbered(path: &str, at: usize, number: usize) -> String {
    let rest = path.strip_prefix(&format!("/parameters/{at}")).unwrap_or_default();
    format!("/parameters/{number}{rest}")
}

/// Returns a repository's place with what can only be one thing filled in.
fn effective_repo(data: Option<&Json>, ui: &Ui, facts: &Facts) -> RepoUrl {
    let mut url = data.map(|data| RepoUrl::parse(&data.text(), facts)).unwrap_or_default();
    if url.host.is_empty() {
        url.host = repo::hosts(ui, facts).first().map(|host| host.host.clone()).unwrap_or_default();
    }
    for part in repo::kind_of(&url.host, facts).parts() {
        if let ([only], "") = (repo::allowed(part, ui).as_slice(), url.part(part.name)) {
            url.set(part.name, only);
        }
    }
    url
}

/// Returns the pointer that a name stands for: `name`, `database.size`, `/tags/0`.
pub fn pointer_of(name: &str) -> String {
    if name.starts_with('/') {
        return name.to_owned();
    }
    name.split('.').fold(String::new(), |pointer, step| join(&pointer, step))
}

fn parent(pointer: &str) -> String {
    pointer.rsplit_once('/').map_or_else(String::new, |(above, _)| above.to_owned())
}

fn index(pointer: &str) -> usize {
    pointer.rsplit_once('/').and_then(|(_, at)| at.parse().ok()).unwrap_or(0)
}

fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests;
