//! One pass over a page: which fields there are now, what they look like, what is wrong, which defaults apply.
//!
//! The pass reads answers and changes nothing; [`super::Form`] repeats it until nothing follows from what it
//! found. Rows come out in the order of the author.

use super::check::Fault;
use super::field::{Choice, Facts, Field, Part, Widget};
use super::json::{Json, Map, join, json_list};
use super::kind::{Kind, find_kind};
use super::resolve::{Resolver, merged};
use super::rule::type_of;
use super::ui::Ui;
use super::{State, repo};
use crate::model::text::clean_lines;
use crate::scaffolder::Value;
use rustc_hash::FxHashMap;

/// Deepest nesting that is shown.
const MAX_DEPTH: u16 = 24;
/// Deepest nesting of empty objects: a tree whose branches are trees has no end.
const MAX_EMPTY_DEPTH: u16 = 6;
/// Most empty rows that a list begins with.
const MAX_ROWS_TO_FILL: usize = 20;
/// Most rows of a page.
const MAX_ROWS: usize = 20_000;

/// What the form knows of a field beside what it shows.
#[derive(Debug, Clone)]
pub struct Inner {
    /// The schema that holds now.
    pub schema: Json,
    /// Its `ui:` keys.
    pub ui: Ui,
    /// Number of its page.
    pub page: usize,
    /// How it works.
    pub kind: Kind,
    /// What it is called.
    pub title: String,
    /// It has to be given.
    pub is_required: bool,
    /// It is not shown.
    pub is_hidden: bool,
    /// It may not be read by anybody.
    pub is_masked: bool,
}

/// A pass over one page.
pub struct Walk<'a> {
    pub resolver: Resolver<'a>,
    pub state: &'a State,
    pub facts: &'a Facts,
    pub page: usize,
    /// The rows that are shown.
    pub fields: Vec<Field>,
    /// What is asked for, shown or not, by pointer.
    pub inner: FxHashMap<String, Inner>,
    /// Everything wrong.
    pub faults: Vec<Fault>,
    /// Values that belong to fields that have none: pointer, value, and whether nothing else is possible.
    pub wanted: Vec<(String, Json, bool)>,
}

/// A property on its way to a row.
struct Property<'a> {
    schema: &'a Json,
    data: Option<&'a Json>,
    ui: Option<&'a Json>,
    pointer: String,
    path: String,
    name: &'a str,
    title: Option<String>,
    depth: u16,
    is_required: bool,
    part: Part,
    /// The default that an object above gives.
    inherited: Option<&'a Json>,
}

impl Walk<'_> {
    /// Walks a page.
    pub fn page(&mut self, schema: &Json, ui: &Json) {
        let values = &self.state.values;
        let now = self.resolver.retrieve(schema, values);
        let path = format!("/parameters/{}", self.page);
        self.body(&now, values, Some(ui), "", &path, 0, true);
    }

    /// The fields of an object.
    #[expect(clippy::too_many_arguments, reason = "one place of a tree, seen from every side")]
    fn body(
        &mut self,
        schema: &Json,
        data: &Json,
        ui: Option<&Json>,
        pointer: &str,
        path: &str,
        depth: u16,
        is_present: bool,
    ) {
        let none = Map::default();
        let properties = schema.get("properties").and_then(Json::as_object).unwrap_or(&none);
        let required: rustc_hash::FxHashSet<&str> =
            json_list(schema.get("required")).iter().filter_map(Json::as_str).collect();
        let order = Ui::of(ui, schema);
        for (name, property) in ordered(properties, order.get("order")) {
            self.property(Property {
                schema: property,
                data: data.get(name),
                ui: ui.and_then(|ui| ui.get(name)),
                pointer: join(pointer, name),
                path: format!("{path}/properties/{name}"),
                name,
                title: None,
                depth,
                is_required: is_present && required.contains(name),
                part: Part::Own,
                inherited: schema.get("default").and_then(|default| default.get(name)),
            });
        }
        // on a page all other answers would be keys of this kind
        if let Some(extra) = schema.get("additionalProperties").filter(|_| !pointer.is_empty()) {
            self.entries(extra, properties, data, ui, pointer, path, depth);
        }
        for key in ["oneOf", "anyOf"] {
            if let Some(options) =
                schema.get(key).and_then(Json::as_list).filter(|options| !options.is_empty())
            {
                self.options(key, options, schema, data, ui, pointer, path, depth, is_present);
            }
        }
    }

    /// Values under keys that a person chose.
    #[expect(clippy::too_many_arguments, reason = "one place of a tree, seen from every side")]
    fn entries(
        &mut self,
        extra: &Json,
        known: &Map,
        data: &Json,
        ui: Option<&Json>,
        pointer: &str,
        path: &str,
        depth: u16,
    ) {
        if extra.as_bool() == Some(false) {
            return;
        }
        for (name, value) in
            data.as_object().into_iter().flat_map(Map::iter).filter(|(name, _)| !known.contains(name))
        {
            let any = || [("type", Json::from(value.type_name()))].into_iter().collect::<Map>().into();
            let schema =
                if extra.as_object().is_some_and(|map| !map.is_empty()) { extra.clone() } else { any() };
            self.property(Property {
                schema: &schema,
                data: Some(value),
                ui: ui.and_then(|ui| ui.get("additionalProperties")),
                pointer: join(pointer, name),
                path: format!("{path}/additionalProperties"),
                name,
                title: Some(name.to_string()),
                depth,
                is_required: false,
                part: Part::Entry,
                inherited: None,
            });
        }
    }

    /// A choice between several forms, and the fields of the chosen one.
    #[expect(clippy::too_many_arguments, reason = "one place of a tree, seen from every side")]
    fn options(
        &mut self,
        key: &str,
        options: &[Json],
        schema: &Json,
        data: &Json,
        ui: Option<&Json>,
        pointer: &str,
        path: &str,
        depth: u16,
        is_present: bool,
    ) {
        if depth > MAX_DEPTH {
            return;
        }
        let (chosen, option) = self.chosen(key, options, data, pointer);
        let title = schema.text_of("title").unwrap_or("Option");
        self.selector(key, options, title, chosen, pointer, depth);
        let mut option = self.resolver.retrieve(&option, data);
        // what the object asks for itself is asked once
        if let Some(own) = schema.get("properties").and_then(Json::as_object) {
            let fields = option.get("properties").and_then(Json::as_object).cloned().unwrap_or_default();
            for (name, of_option) in fields.iter().filter(|(name, _)| own.contains(name)) {
                self.narrowed(name, of_option, data, pointer);
                option.remove(&join("/properties", name));
            }
        }
        let path = format!("{path}/{key}/{chosen}");
        self.body(&option, data, ui, pointer, &path, depth, is_present);
    }

    /// A field of the object that the chosen form allows one value only: it follows the choice.
    fn narrowed(&mut self, name: &str, schema: &Json, data: &Json, pointer: &str) {
        let only = schema.get("const").or_else(|| {
            json_list(schema.get("enum")).first().filter(|_| json_list(schema.get("enum")).len() == 1)
        });
        if let Some(only) = only.filter(|only| data.get(name) != Some(only)) {
            self.wanted.push((join(pointer, name), only.clone(), true));
        }
    }

    fn chosen(&self, key: &str, options: &[Json], data: &Json, pointer: &str) -> (usize, Json) {
        let at = self.state.options.get(&selector(pointer, key)).copied().filter(|at| *at < options.len());
        let at = at.unwrap_or_else(|| self.resolver.option(options, data));
        let option = options.get(at).cloned().unwrap_or(Json::Null);
        let target = option.text_of("$ref").and_then(|name| self.resolver.checker.definition(name)).cloned();
        (at, target.unwrap_or(option))
    }

    fn selector(
        &mut self,
        key: &str,
        options: &[Json],
        title: &str,
        chosen: usize,
        pointer: &str,
        depth: u16,
    ) {
        let label = |(option, at): (&Json, usize)| {
            let target = option.text_of("$ref").and_then(|name| self.resolver.checker.definition(name));
            let title = target.unwrap_or(option).text_of("title").or(option.text_of("title"));
            Choice::new(Value::from(at), title.map_or_else(|| format!("Option {}", at + 1), str::to_owned))
        };
        let choices: Vec<Choice> = options.iter().zip(0..).map(label).collect();
        let pointer = selector(pointer, key);
        let text = choices.get(chosen).map(|choice| choice.label.clone()).unwrap_or_default();
        let field = Field {
            value: Value::from(chosen),
            text,
            is_required: true,
            ..blank(&pointer, depth, title, Widget::Choice { is_radio: false, choices })
        };
        let inner = self.blank_inner(Kind::Selector, title);
        self.push(field, inner);
    }

    fn blank_inner(&self, kind: Kind, title: &str) -> Inner {
        Inner {
            schema: Json::object(),
            ui: Ui::default(),
            page: self.page,
            kind,
            title: title.to_owned(),
            is_required: false,
            is_hidden: false,
            is_masked: false,
        }
    }

    fn push(&mut self, field: Field, inner: Inner) {
        let is_hidden = inner.is_hidden;
        self.inner.insert(field.pointer.clone(), inner);
        if !is_hidden && self.fields.len() < MAX_ROWS {
            self.fields.push(field);
        }
    }

    fn fault(&mut self, pointer: &str, keyword: &'static str, path: &str, message: impl Into<String>) {
        let schema = format!("{path}/{keyword}");
        self.faults.push(Fault { pointer: pointer.to_owned(), keyword, schema, message: message.into() });
    }

    fn property(&mut self, mut property: Property<'_>) {
        if property.depth > MAX_DEPTH || self.inner.len() >= MAX_ROWS {
            return;
        }
        let mut schema = self.resolver.retrieve(property.schema, property.data.unwrap_or(&Json::Null));
        if schema.as_object().is_none() {
            schema = Json::object();
        }
        let schema = self.alternative(schema, &property);
        let ui = Ui::of(property.ui, &schema);
        let kind = find_kind(&schema, &ui);
        if let Some(title) = ui.text("title").or(schema.text_of("title")).filter(|title| !title.is_empty()) {
            property.title = Some(title.to_owned());
        }
        let title = clean_lines(property.title.as_deref().unwrap_or(property.name)).into_owned();
        self.want(&property, &schema, &kind);
        self.judge(&property, &schema, &kind, &ui);
        let inner = Inner {
            is_required: property.is_required,
            is_hidden: ui.text("widget") == Some("hidden"),
            is_masked: matches!(kind, Kind::Secret) || ui.text("widget") == Some("password"),
            ..self.blank_inner(kind.clone(), &title)
        };
        let inner = Inner { schema: schema.clone(), ui: ui.clone(), ..inner };
        let is_hidden = inner.is_hidden;
        let field = self.row(&property, &schema, &ui, &kind, title, inner.is_masked);
        let at = self.fields.len();
        self.push(field, inner);
        self.below(&property, &schema, &ui, &kind);
        if is_hidden {
            self.fields.truncate(at);
        }
    }

    /// Chooses between the forms of a value that is no object: a text, or a list of texts.
    fn alternative(&mut self, schema: Json, property: &Property<'_>) -> Json {
        for key in ["oneOf", "anyOf"] {
            let Some(options) = schema.get(key).and_then(Json::as_list) else { continue };
            let is_null = |option: &Json| option.text_of("type") == Some("null");
            let is_constant =
                |option: &Json| option.get("const").is_some() || json_list(option.get("enum")).len() == 1;
            if options.is_empty() || options.iter().all(is_constant) {
                continue;
            }
            let all_objects =
                type_of(&schema) == "object" || options.iter().all(|option| type_of(option) == "object");
            let real: Vec<Json> = options.iter().filter(|option| !is_null(option)).cloned().collect();
            let (_, option) = if let [only] = real.as_slice() {
                (0, only.clone())
            } else if all_objects {
                continue;
            } else {
                let (at, option) =
                    self.chosen(key, options, property.data.unwrap_or(&Json::Null), &property.pointer);
                let title = schema.text_of("title").unwrap_or(property.name).to_owned();
                self.selector(key, options, &format!("{title}: kind"), at, &property.pointer, property.depth);
                (at, option)
            };
            let mut rest = schema.clone();
            rest.fields_mut().remove(key);
            let option = self.resolver.retrieve(&option, property.data.unwrap_or(&Json::Null));
            let mut both = merged(&option, &rest);
            // which of them is what: the name of the field stays in front
            if let (Some(title), Some(of)) =
                (schema.text_of("title"), option.text_of("title").filter(|_| real.len() > 1))
            {
                both.fields_mut().insert("title", Json::from(format!("{title}: {of}").as_str()));
            }
            return both;
        }
        schema
    }

    /// Notes the value that a field has from the start.
    fn want(&mut self, property: &Property<'_>, schema: &Json, kind: &Kind) {
        if let Some(constant) = schema.get("const") {
            if property.data.is_none() {
                self.wanted.push((property.pointer.clone(), constant.clone(), true));
            }
            return;
        }
        if property.data.is_some() || matches!(kind, Kind::Secret) {
            return;
        }
        let default =
            schema.get("default").or(property.inherited).filter(|default| !matches!(default, Json::Null));
        if let Some(default) = default {
            let fits = self.resolver.checker.is_valid(&type_only(schema), default);
            // fields of an object have defaults of their own, which count more
            if fits && !matches!(kind, Kind::Object) {
                self.wanted.push((property.pointer.clone(), default.clone(), false));
                return;
            }
        }
        match kind {
            Kind::Object if property.is_required && property.depth < MAX_EMPTY_DEPTH => {
                self.wanted.push((property.pointer.clone(), Json::object(), true));
            }
            Kind::Tags { .. } => self.wanted.push((property.pointer.clone(), Vec::new().into(), false)),
            Kind::List if property.is_required => {
                let least = schema.get("minItems").and_then(Json::as_count).unwrap_or(0);
                // rows to fill in
                if (1..=MAX_ROWS_TO_FILL).contains(&least) {
                    let items = vec![new_item(schema.get("items").unwrap_or(&Json::Null)); least];
                    self.wanted.push((property.pointer.clone(), items.into(), false));
                }
            }
            _ => {}
        }
    }

    /// Says what is wrong with the answer itself; what lies below it says so for itself.
    fn judge(&mut self, property: &Property<'_>, schema: &Json, kind: &Kind, ui: &Ui) {
        let pointer = property.pointer.as_str();
        if self.state.raw.contains_key(pointer) {
            self.fault(pointer, "type", &property.path, kind.typing_fault(schema));
            return;
        }
        let is_item = matches!(property.part, Part::Item { .. });
        let Some(data) =
            property.data.filter(|data| !(is_item && matches!(data, Json::Null) && !allows_null(schema)))
        else {
            if property.is_required || is_item {
                let message = if matches!(kind, Kind::Secret) { "required, a secret" } else { "required" };
                self.fault(pointer, "required", &property.path, message);
            }
            return;
        };
        let secret = matches!(kind, Kind::Secret).then(|| self.state.secret_text(pointer)).flatten();
        let shallow = shallow(schema, kind);
        let mut faults = match &secret {
            Some(text) => self.resolver.checker.faults(&shallow, &Json::from(text.as_str()), pointer),
            None => self.resolver.checker.faults(&shallow, data, pointer),
        };
        for fault in &mut faults {
            fault.schema = format!("{}{}", property.path, fault.schema);
        }
        let is_fine = faults.is_empty();
        self.faults.append(&mut faults);
        if is_fine {
            self.judge_extension(property, kind, ui, data);
        }
    }

    fn judge_extension(&mut self, property: &Property<'_>, kind: &Kind, ui: &Ui, data: &Json) {
        let pointer = property.pointer.as_str();
        match kind {
            Kind::Repo => {
                let url = repo::RepoUrl::parse(&data.text(), self.facts);
                if let Some((part, message)) = repo::fault(&url, ui, self.facts) {
                    self.fault(&format!("{pointer}/~{part}"), "ui:field", &property.path, message);
                }
            }
            Kind::Name => {
                let text = data.text();
                if !crate::model::rules::is_name(&text) {
                    let fault = crate::model::rules::name_fault(&text);
                    let near =
                        crate::model::rules::suggest_name(&text).map(|near| format!(", for example {near}"));
                    self.fault(
                        pointer,
                        "ui:field",
                        &property.path,
                        format!("{fault}{}", near.unwrap_or_default()),
                    );
                }
            }
            Kind::Tags { .. } => {
                let wrong = json_list(Some(data))
                    .iter()
                    .map(Json::text)
                    .find(|tag| !crate::model::rules::is_tag(tag));
                if let Some(tag) = wrong {
                    let near = crate::model::rules::suggest_tag(&tag).map(|near| format!(", `{near}` is"));
                    self.fault(
                        pointer,
                        "ui:field",
                        &property.path,
                        format!("`{tag}` is no tag{}", near.unwrap_or_default()),
                    );
                }
            }
            _ => {}
        }
    }

    fn row(
        &self,
        property: &Property<'_>,
        schema: &Json,
        ui: &Ui,
        kind: &Kind,
        title: String,
        is_masked: bool,
    ) -> Field {
        let text_of = |key: &str| ui.text(key).map(|text| clean_lines(text).into_owned()).unwrap_or_default();
        let raw = self.state.raw.get(&property.pointer);
        let text =
            raw.cloned().unwrap_or_else(|| property.data.map(|data| kind.text(data)).unwrap_or_default());
        let value = property.data.map_or(Value::UNDEFINED, Json::to_value);
        let is_on = |key: &str| {
            ui.is_on(key) || schema.get(key.trim_start_matches("ui:")).and_then(Json::as_bool) == Some(true)
        };
        let description = ui.text("description").or(schema.text_of("description")).unwrap_or_default();
        let mask = |text: String| if is_masked { "*".repeat(text.chars().count()) } else { text };
        Field {
            pointer: property.pointer.clone(),
            depth: property.depth,
            name: property.name.to_owned(),
            title,
            description: clean_lines(description).into_owned(),
            help: text_of("help"),
            placeholder: text_of("placeholder"),
            widget: kind.widget(schema, ui, property.data),
            value: if is_masked && !value.is_undefined() { Value::from(mask(text.clone())) } else { value },
            text: mask(text),
            is_required: property.is_required,
            is_disabled: is_on("disabled")
                || is_on("readonly")
                || schema.get("readOnly").and_then(Json::as_bool) == Some(true)
                || schema.get("const").is_some(),
            is_autofocus: ui.is_on("autofocus"),
            part: property.part,
            rule: kind.rule(schema, self.resolver.checker.patterns),
            error: None,
            note: self.note(schema, ui, kind),
        }
    }

    fn note(&self, schema: &Json, ui: &Ui, kind: &Kind) -> Option<String> {
        if let Some(name) = ui.text("field").filter(|name| !super::kind::is_known_field(name)) {
            return Some(format!(
                "`{}` is a field of another portal: asked for as {}",
                clean_lines(name),
                kind.words(schema)
            ));
        }
        let pattern = schema.text_of("pattern").map(|source| self.resolver.checker.patterns.get(source));
        if pattern.is_some_and(|pattern| !pattern.is_understood()) {
            return Some("its pattern is not understood and cannot be checked".to_owned());
        }
        None
    }

    /// The rows below a head.
    fn below(&mut self, property: &Property<'_>, schema: &Json, ui: &Ui, kind: &Kind) {
        match kind {
            Kind::Object => {
                let is_deep = property.data.is_none() && property.depth >= MAX_EMPTY_DEPTH;
                if !is_deep {
                    let empty = Json::object();
                    let data = property.data.unwrap_or(&empty);
                    let is_present = property.data.is_some() || property.is_required;
                    self.body(
                        schema,
                        data,
                        property.ui,
                        &property.pointer,
                        &property.path,
                        property.depth + 1,
                        is_present,
                    );
                }
            }
            Kind::List => self.items(property, schema, ui),
            Kind::Repo => self.repo_parts(property, ui),
            _ => {}
        }
    }

    fn items(&mut self, property: &Property<'_>, schema: &Json, ui: &Ui) {
        let items = json_list(property.data);
        let least = schema.get("minItems").and_then(Json::as_count).unwrap_or(0);
        let can_order = !ui.is_off("orderable");
        let can_remove = !ui.is_off("removable") && items.len() > least.min(items.len().saturating_sub(1));
        let any = Json::object();
        for (item, at) in items.iter().zip(0usize..) {
            let of = match schema.get("items") {
                Some(Json::List(each)) => each.get(at).or(schema.get("additionalItems")).unwrap_or(&any),
                Some(of) => of,
                None => &any,
            };
            let is_fixed = matches!(schema.get("items"), Some(Json::List(each)) if at < each.len());
            let name = at.to_string();
            self.property(Property {
                schema: of,
                data: Some(item),
                ui: property.ui.and_then(|ui| ui.get("items")),
                pointer: format!("{}/{at}", property.pointer),
                path: format!("{}/items", property.path),
                name: &name,
                title: Some(format!("{}", at + 1)),
                depth: property.depth + 1,
                is_required: false,
                part: Part::Item {
                    can_remove: can_remove && !is_fixed,
                    can_up: can_order && !is_fixed && at > 0,
                    can_down: can_order && !is_fixed && at + 1 < items.len(),
                },
                inherited: None,
            });
        }
    }

    fn repo_parts(&mut self, property: &Property<'_>, ui: &Ui) {
        let url = super::effective_repo(property.data, ui, self.facts);
        let kind = repo::kind_of(&url.host, self.facts);
        let hosts: Vec<String> = repo::hosts(ui, self.facts).into_iter().map(|host| host.host).collect();
        let mut add = |name: &'static str,
                       title: &str,
                       description: &str,
                       value: &str,
                       allowed: Vec<String>,
                       is_required: bool| {
            let pointer = format!("{}/~{name}", property.pointer);
            let choices: Vec<Choice> =
                allowed.iter().map(|text| Choice::new(Value::from(text.as_str()), text.as_str())).collect();
            let widget =
                if choices.is_empty() { Widget::Line } else { Widget::Choice { is_radio: false, choices } };
            let field = Field {
                name: name.to_owned(),
                description: description.to_owned(),
                value: if value.is_empty() { Value::UNDEFINED } else { Value::from(value) },
                text: value.to_owned(),
                is_required,
                ..blank(&pointer, property.depth + 1, title, widget)
            };
            let inner = self.blank_inner(Kind::RepoPart(name), title);
            self.push(field, inner);
        };
        add("host", "Host", "", &url.host, hosts, property.is_required);
        for part in kind.parts() {
            let label = ui.text(&format!("{}Label", part.name)).unwrap_or(part.title);
            let description = ui.text(&format!("{}Description", part.name)).unwrap_or_default();
            let is_required = property.is_required && part.is_required;
            add(part.name, label, description, url.part(part.name), repo::allowed(part, ui), is_required);
        }
    }
}

/// Returns the pointer of the choice between several forms.
fn selector(pointer: &str, key: &str) -> String {
    format!("{pointer}/~{key}")
}

fn blank(pointer: &str, depth: u16, title: &str, widget: Widget) -> Field {
    Field {
        pointer: pointer.to_owned(),
        depth,
        name: String::new(),
        title: title.to_owned(),
        description: String::new(),
        help: String::new(),
        placeholder: String::new(),
        widget,
        value: Value::UNDEFINED,
        text: String::new(),
        is_required: false,
        is_disabled: false,
        is_autofocus: false,
        part: Part::Own,
        rule: String::new(),
        error: None,
        note: None,
    }
}

/// Properties in the order of `ui:order`; `*` stands for those that it does not name.
fn ordered<'a>(properties: &'a Map, order: Option<&Json>) -> Vec<(&'a str, &'a Json)> {
    let all = || properties.iter().map(|(name, property)| (&**name, property));
    let names: Vec<&str> = json_list(order).iter().filter_map(Json::as_str).collect();
    if names.is_empty() {
        return all().collect();
    }
    let is_named: rustc_hash::FxHashSet<&str> = names.iter().copied().collect();
    let rest = || all().filter(|(name, _)| !is_named.contains(name));
    let mut out = Vec::new();
    for name in &names {
        match properties.get(name) {
            Some(property) if !out.iter().any(|(known, _)| known == name) => {
                if let Some((key, _)) = all().find(|(key, _)| key == name) {
                    out.push((key, property));
                }
            }
            _ if *name == "*" => out.extend(rest()),
            _ => {}
        }
    }
    if !names.contains(&"*") {
        out.extend(rest());
    }
    out
}

/// A schema without what fields below say for themselves.
fn shallow(schema: &Json, kind: &Kind) -> Json {
    let mut shallow = schema.clone();
    let map = shallow.fields_mut();
    match kind {
        Kind::Object => {
            for key in ["properties", "required", "additionalProperties", "oneOf", "anyOf", "enum"] {
                map.remove(key);
            }
        }
        Kind::List => {
            map.remove("items");
        }
        _ => {}
    }
    shallow
}

fn type_only(schema: &Json) -> Json {
    schema.get("type").map(|word| ("type", word.clone())).into_iter().collect::<Map>().into()
}

fn allows_null(schema: &Json) -> bool {
    match schema.get("type") {
        Some(Json::List(words)) => words.contains(&Json::from("null")),
        Some(word) => word.as_str() == Some("null"),
        None => schema.get("enum").is_some_and(|all| json_list(Some(all)).contains(&Json::Null)),
    }
}

/// Returns what a new item of a list is.
pub fn new_item(schema: &Json) -> Json {
    let empty = || if type_of(schema) == "object" { Json::object() } else { Json::Null };
    schema.get("default").cloned().unwrap_or_else(empty)
}
