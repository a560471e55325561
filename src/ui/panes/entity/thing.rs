//! What can be focused in the pane, and its tabs.

use crate::app::Context;
use crate::app::place::Place;
use crate::app::subject::Subject;
use crate::catalog::{Catalog, Entity, EntityId};
use crate::kubernetes::ObjectRef;
use crate::kubernetes::health::Evidence;
use crate::ui::entity_lines;
use std::sync::Arc;

/// A tab of the pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tab {
    /// What it is and how it hangs together.
    #[default]
    Overview,
    /// All relations as a list.
    Relations,
    /// The definition of an API.
    Api,
    /// Its documentation.
    Docs,
    /// What runs of it in clusters.
    Kubernetes,
    /// The file it was read from.
    Raw,
    /// What is wrong with it.
    Problems,
}

impl Tab {
    /// Every tab in the order of the bar.
    pub const ALL: [Self; 7] =
        [Self::Overview, Self::Relations, Self::Api, Self::Docs, Self::Kubernetes, Self::Raw, Self::Problems];

    /// Returns the title in the bar.
    pub fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Relations => "Relations",
            Self::Api => "API",
            Self::Docs => "Docs",
            Self::Kubernetes => "Kubernetes",
            Self::Raw => "Raw",
            Self::Problems => "Problems",
        }
    }

    /// Finds a tab by the word of a place line, in any case.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tab| tab.title().eq_ignore_ascii_case(word))
    }
}

/// Something that `enter` opens.
#[derive(Debug, Clone, PartialEq)]
pub enum Thing {
    /// An entity or dangling ref, by canonical ref.
    Entity(String),
    /// The place in a file where an entity names a ref.
    Mention {
        /// Who names it.
        entity: String,
        /// Line of the ref.
        line: u32,
        /// Column of the ref.
        column: u32,
    },
    /// An address.
    Link {
        /// What it is called.
        title: String,
        /// The address.
        url: String,
    },
    /// Another tab of this pane.
    Tab(Tab),
    /// Another place.
    Place(Place),
    /// One of the entity's problems, by number.
    Problem(usize),
    /// An object of a cluster.
    Object(ObjectRef),
    /// Where a finding can be seen: its object, the container, what shows it.
    Evidence(ObjectRef, Option<Arc<str>>, Evidence),
}

impl Thing {
    /// Returns what the subject commands act on; `own` is the entity of the pane.
    pub fn subject(&self, cx: &Context, own: &str) -> Subject {
        match self {
            Self::Entity(canonical) => Subject::entity(cx, canonical),
            Self::Mention { entity, line, column } => {
                let mut subject = Subject::entity(cx, entity);
                if let Some(Ok(source)) = &mut subject.source {
                    (source.1, source.2) = (*line, *column);
                }
                subject
            }
            Self::Link { title, url } => Subject {
                name: url.clone(),
                links: vec![(title.clone(), url.clone())],
                source: Subject::entity(cx, own).source,
                ..Subject::default()
            },
            Self::Place(place) => Subject {
                name: place.to_string(),
                place: Some(place.clone()),
                source: Some(Err("this is a list, not a thing of a file".to_owned())),
                ..Subject::default()
            },
            Self::Problem(at) => cx
                .entity(own)
                .and_then(|entity| entity.problems().nth(*at))
                .map_or_else(|| Subject::entity(cx, own), |problem| Subject::diagnostic(cx, problem)),
            Self::Object(at) | Self::Evidence(at, None, _) => Subject::object(cx, at),
            Self::Evidence(at, Some(container), _) => Subject::container(cx, at, container),
            Self::Tab(_) => Subject::entity(cx, own),
        }
    }
}

/// The entity that the pane shows, looked up in the snapshot of the context.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    /// What every pane may read.
    pub cx: &'a Context,
    /// The snapshot.
    pub catalog: &'a Catalog,
    /// Its canonical ref.
    pub canonical: &'a str,
    /// Its number, also when it is dangling; `None` when nobody names it any more.
    pub id: Option<EntityId>,
    /// The entity; `None` when nobody describes it.
    pub entity: Option<Entity<'a>>,
}

impl<'a> Look<'a> {
    /// Looks a ref up.
    pub fn new(cx: &'a Context, canonical: &'a str) -> Self {
        let id = cx.catalog.find(canonical);
        let entity = id.and_then(|id| cx.catalog.entity(id));
        Self { cx, catalog: &cx.catalog, canonical, id, entity }
    }

    /// Returns the tabs that apply, and the one that is open even if it no longer does.
    pub fn tabs(&self, open: Tab) -> Vec<Tab> {
        let applies = |tab: Tab| match (tab, &self.entity) {
            (Tab::Relations, _) => self.id.is_some(),
            (Tab::Api, Some(entity)) => entity.kind().eq_ignore_ascii_case("api"),
            (Tab::Overview, _) | (Tab::Raw, Some(_)) => true,
            (Tab::Docs, Some(_)) => super::docs::applies(self),
            (Tab::Kubernetes, Some(_)) => super::kubernetes::applies(self),
            (Tab::Problems, Some(entity)) => entity.problems().next().is_some(),
            (_, None) => false,
        };
        Tab::ALL.into_iter().filter(|tab| *tab == open || applies(*tab)).collect()
    }

    /// Returns how many relations it has.
    pub fn relation_count(&self) -> usize {
        self.id.map_or(0, |id| self.catalog.relations(id).count())
    }

    /// Returns what it is part of, the widest first; for a group its parents.
    pub fn trail(&self) -> Vec<EntityId> {
        self.entity.map(|entity| entity_lines::trail(self.catalog, &entity)).unwrap_or_default()
    }
}
