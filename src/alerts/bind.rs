//! Which entities an alert is about, and why.
//!
//! What an entity says of itself counts first: `prometheus.io/alert` with `prometheus.io/labels`, then
//! `devportal/alertmanager-matchers`. Where nothing of that names the alert, its own labels do: a label that
//! commonly holds the name of a service with the name of exactly that entity.

use super::{Alert, Matcher};
use crate::catalog::{Catalog, Entity, EntityId};
use rustc_hash::FxHashMap;

/// An entity that an alert is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The entity.
    pub id: EntityId,
    /// Why, for people: `prometheus.io/alert names CheckoutErrors`.
    pub reason: String,
}

/// Labels that commonly hold the name of a service, the surest first.
const SERVICE_LABELS: [&str; 8] = [
    "backstage_io_kubernetes_id",
    "component",
    "service",
    "app_kubernetes_io_name",
    "app",
    "application",
    "deployment",
    "job",
];

/// Names of `prometheus.io/alert` with the labels that must be there.
struct Rule {
    id: EntityId,
    /// Names of alerts; empty for all.
    names: Vec<String>,
    labels: Vec<(String, String)>,
}

/// What the entities of one catalog say; made once, asked for many alerts.
pub struct Bindings<'c> {
    catalog: &'c Catalog,
    rules: Vec<Rule>,
    matchers: Vec<(EntityId, Vec<Matcher>, String)>,
    by_name: FxHashMap<String, Vec<EntityId>>,
}

impl<'c> Bindings<'c> {
    /// Reads what the entities say. A matcher that cannot be read binds nothing.
    pub fn of(catalog: &'c Catalog) -> Self {
        let mut bindings =
            Self { catalog, rules: Vec::new(), matchers: Vec::new(), by_name: FxHashMap::default() };
        for entity in catalog.entities() {
            bindings.add(entity);
        }
        bindings
    }

    fn add(&mut self, entity: Entity<'_>) {
        let id = entity.id();
        if let Some(names) = entity.annotation("prometheus.io/alert") {
            let names: Vec<String> = list(names).map(str::to_owned).collect();
            let names = if names.iter().any(|name| name == "all") { Vec::new() } else { names };
            let labels = entity.annotation("prometheus.io/labels").unwrap_or_default();
            let labels = list(labels).filter_map(|pair| pair.split_once('='));
            let labels = labels.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
            self.rules.push(Rule { id, names, labels: labels.collect() });
        }
        if let Some(text) = entity.annotation("devportal/alertmanager-matchers")
            && let Ok(matchers) = Matcher::parse_list(text)
            && !matchers.is_empty()
        {
            self.matchers.push((id, matchers, text.to_owned()));
        }
        if matches!(entity.kind(), "Component" | "Resource" | "System") {
            self.by_name.entry(entity.name().to_lowercase()).or_default().push(id);
            if let Some(other) = entity.annotation("backstage.io/kubernetes-id") {
                let ids = self.by_name.entry(other.to_lowercase()).or_default();
                if !ids.contains(&id) {
                    ids.push(id);
                }
            }
        }
    }

    /// Returns the entities that an alert is about, each once.
    pub fn about(&self, alert: &Alert) -> Vec<About> {
        let mut found: Vec<About> = Vec::new();
        let mut add = |id: EntityId, reason: String| {
            if !found.iter().any(|about| about.id == id) {
                found.push(About { id, reason });
            }
        };
        for rule in &self.rules {
            let is_named = rule.names.contains(&alert.name);
            let has = |(key, value): &(String, String)| alert.labels.get(key) == Some(value);
            let fits = rule.labels.iter().all(has);
            // every alert of the server is nobody's in particular
            if fits && (is_named || rule.names.is_empty() && !rule.labels.is_empty()) {
                let reason = if is_named {
                    format!("prometheus.io/alert names {}", alert.name)
                } else {
                    "prometheus.io/labels fit".to_owned()
                };
                add(rule.id, reason);
            }
        }
        for (id, matchers, text) in &self.matchers {
            if matchers.iter().all(|matcher| matcher.fits(&alert.labels)) {
                add(*id, format!("devportal/alertmanager-matchers fit: {text}"));
            }
        }
        if found.is_empty() {
            found.extend(self.by_label(alert));
        }
        found
    }

    /// The surest label that names exactly one entity, in the alert's namespace where that tells them apart.
    fn by_label(&self, alert: &Alert) -> Option<About> {
        SERVICE_LABELS.iter().find_map(|label| {
            let value = alert.labels.get(*label)?;
            let ids = self.by_name.get(&value.to_lowercase())?;
            let components = || {
                ids.iter()
                    .filter(|id| self.catalog.entity(**id).is_some_and(|entity| entity.kind() == "Component"))
            };
            let id = match ids.as_slice() {
                [one] => *one,
                _ if components().count() == 1 => *components().next()?,
                _ => return None,
            };
            Some(About { id, reason: format!("its label {label} is {value}") })
        })
    }
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}
