//! The draft: kept after every change, offered when the template is opened again, forgotten when it is done.
//!
//! One write at a time, so that the newest answers are the last to be written.

use super::{WizardPane, commands, shared};
use crate::app::Context;
use crate::app::context::age;
use crate::app::day_two::entity_field;
use crate::app::event::{Effect, Generation, Level};
use crate::app::overlay::{Item, Overlay};
use crate::app::templates::{KeptDraft, Opened, TemplateOrder};
use crate::scaffolder::Value;
use crate::scaffolder::engine::history::PastRun;
use crate::scaffolder::form::{Draft, Facts, Form};
use minijinja::value::Serde;
use std::sync::Arc;

/// State of the draft.
#[derive(Default)]
pub(super) struct Keep {
    /// What is known beside the entity has arrived.
    is_opened: bool,
    /// The draft that was found and not decided about.
    found: Option<Arc<KeptDraft>>,
    /// The write under way.
    writing: Option<Generation>,
    /// There are newer answers than those that are written or being written.
    is_dirty: bool,
    /// Something was written.
    is_kept: bool,
    /// Why the last write failed.
    failure: Option<String>,
    /// What a person should know: answers of a draft that do not fit any more.
    notes: Vec<String>,
}

impl Keep {
    pub fn is_opened(&self) -> bool {
        self.is_opened
    }

    pub fn is_kept(&self) -> bool {
        self.is_kept
    }

    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    pub fn note(&mut self, notes: Vec<String>) {
        self.notes = notes;
    }

    /// Returns how the draft stands, in words.
    pub fn words(&self) -> String {
        match (&self.failure, self.is_dirty || self.writing.is_some(), self.is_kept) {
            (Some(reason), ..) => format!("draft not saved: {reason}"),
            (None, true, _) => "saving draft".to_owned(),
            (None, false, true) => "draft saved".to_owned(),
            (None, false, false) => String::new(),
        }
    }
}

impl WizardPane {
    /// Takes what is known of the template beside its entity; a draft or a running run is offered.
    pub(super) fn opened(&mut self, opened: &Opened, cx: &Context) -> Vec<Effect> {
        let mut template = (*self.template).clone();
        template.base = opened.base.clone();
        self.template = Arc::new(template);
        self.keep.is_opened = true;
        if let Some(run) = &opened.running {
            return self.attach(run, cx);
        }
        self.facts = Facts { me: cx.me.principal.clone(), ..opened.facts.clone() };
        let typed = self.form.draft();
        self.restore(&typed);
        self.keep.notes.clear();
        self.fill_entity();
        let mut effects = self.enter_page(self.page, true, cx);
        match (&opened.run, &opened.draft) {
            (Some(Ok(run)), _) => effects.extend(self.take_run(&run.0, cx)),
            (Some(Err(reason)), _) => effects.extend(Self::toast(Level::Error, reason.clone())),
            (None, Some(kept)) => {
                effects.push(Effect::Show(ask(&kept.0, cx)));
                self.keep.found = Some(kept.0.clone());
            }
            (None, None) => {}
        }
        effects.extend(self.look_ahead(cx));
        effects
    }

    /// Fills in the entity that the wizard was opened for, where the form asks for one.
    pub(super) fn fill_entity(&mut self) {
        let Some(entity) = &self.target.entity else { return };
        if let Some(pointer) = entity_field(&self.form) {
            let _ = self.form.set(&pointer, Value::from(entity.as_str()));
        }
    }

    /// Takes the answers of a run that was made before.
    fn take_run(&mut self, run: &PastRun, cx: &Context) -> Vec<Effect> {
        self.restore(&Draft { answers: Value::from(Serde(&run.answers)), ..Draft::default() });
        let mut effects = self.enter_page(0, true, cx);
        let when = age(cx.now.as_second() - run.started.as_second());
        let when = if when == "now" { "just now".to_owned() } else { format!("{when} ago") };
        effects.extend(Self::toast(Level::Info, format!("these are the answers of {when}")));
        effects.extend(self.look_ahead(cx));
        effects
    }

    /// Takes the answer to what is done with a draft.
    pub(super) fn choose_draft(&mut self, choice: &str, cx: &Context) -> Vec<Effect> {
        let Some(kept) = self.keep.found.take() else { return Vec::new() };
        if choice == "anew" {
            return self.start_over(cx);
        }
        self.restore(&kept.draft);
        self.keep.is_kept = true;
        self.fill_entity();
        let mut effects = self.enter_page(self.form.current(), true, cx);
        if self.fields.iter().any(|field| field.pointer == kept.pointer) {
            self.focus_or_first(&kept.pointer);
            effects = self.look_up(cx);
            self.lay_out(cx);
        }
        effects.extend(self.look_ahead(cx));
        effects
    }

    /// Forgets draft and answers.
    pub(super) fn start_over(&mut self, cx: &Context) -> Vec<Effect> {
        self.form = Form::new(self.template.clone(), &Value::UNDEFINED, self.facts.clone());
        self.fill_entity();
        let mut effects = vec![self.forget(cx)];
        effects.extend(self.enter_page(0, true, cx));
        effects.extend(self.look_ahead(cx));
        effects
    }

    /// Forgets the draft.
    pub(super) fn forget(&mut self, cx: &Context) -> Effect {
        let is_opened = self.keep.is_opened;
        self.keep = Keep { is_opened, ..Keep::default() };
        Self::order(cx, TemplateOrder::ForgetDraft(self.target.template.clone())).1
    }

    /// Keeps the answers as they are now.
    pub(super) fn keep_draft(&mut self, cx: &Context) -> Vec<Effect> {
        self.keep.is_dirty = true;
        // typing before a draft was decided about decides: the draft is left alone until then
        if self.keep.writing.is_some() || self.keep.found.is_some() {
            return Vec::new();
        }
        self.keep.is_dirty = false;
        let order = TemplateOrder::KeepDraft {
            template: self.target.template.clone(),
            draft: shared(self.form.draft()),
            pointer: self.typing.pointer.clone(),
        };
        let (generation, effect) = Self::order(cx, order);
        self.keep.writing = Some(generation);
        vec![effect]
    }

    pub(super) fn draft_kept(
        &mut self,
        generation: Generation,
        result: &Result<(), String>,
        cx: &Context,
    ) -> Vec<Effect> {
        if self.keep.writing.take_if(|writing| *writing == generation).is_none() {
            return Vec::new();
        }
        self.keep.failure = result.clone().err();
        self.keep.is_kept |= result.is_ok();
        if self.keep.is_dirty { self.keep_draft(cx) } else { Vec::new() }
    }
}

/// Returns the question what to do with a draft.
fn ask(kept: &KeptDraft, cx: &Context) -> Overlay {
    let when = age(cx.now.as_second() - kept.saved.as_second());
    let answers = kept.draft.answers.len().unwrap_or(0);
    let count = crate::ui::entity_lines::plural(answers, "answer");
    let when = if when == "now" { "just now".to_owned() } else { format!("{when} ago") };
    let choose = |choice: &str| vec![Effect::Choose(commands::DRAFT, choice.to_owned())];
    let items = vec![
        Item::new("continue with it", choose("continue")).letter('c'),
        Item::new("start anew", choose("anew")).letter('s').detail("the draft is forgotten"),
    ];
    let mut overlay = Overlay::menu("there is a draft", items);
    overlay.text = vec![format!("{count}, saved {when}")];
    // leaving the question is the harmless way: nothing is lost
    overlay.cancel = choose("continue");
    overlay
}
