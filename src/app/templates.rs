//! What the templates' panes ask for and hear: choices, drafts, dry runs, runs, the history.
//!
//! Orders are carried out on the pool and answered with the generation they carry; a run goes on by itself and
//! tells of every change. Start at [`TemplateOrder`].

use super::event::Shared;
use crate::scaffolder::diff::{Amount, FileDiff};
use crate::scaffolder::engine::Run;
use crate::scaffolder::engine::history::PastRun;
use crate::scaffolder::form::{Choice, Draft, Facts, Lookup};
use crate::scaffolder::run::{Job, Review, RunState};
use crate::scaffolder::template::Base;

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum TemplateOrder {
    /// Say what is known of a template beside its entity: where it lies, its draft, a run whose answers are
    /// wanted. Answered by [`TemplateAnswer::Opened`].
    Open {
        /// Canonical ref of the template.
        template: String,
        /// Number of a run.
        run: Option<String>,
    },
    /// Read the history of runs. Answered by [`TemplateAnswer::History`].
    History,
    /// Look for choices. Answered by [`TemplateAnswer::Choices`].
    Suggest(Shared<Lookup>),
    /// Keep a draft. Answered by [`TemplateAnswer::DraftKept`].
    KeepDraft {
        /// Canonical ref of the template.
        template: String,
        /// The draft.
        draft: Shared<Draft>,
        /// Pointer of the field that has the focus.
        pointer: String,
    },
    /// Forget the draft of a template.
    ForgetDraft(String),
    /// Run dry. Answered by [`TemplateAnswer::Reviewed`]; a newer order stops an older one.
    Review {
        /// What would be run.
        job: Shared<Job>,
        /// Answers that have to be in the catalog, with what they have to be.
        picked: Shared<Vec<(Lookup, Vec<String>)>>,
    },
    /// Run. Answered by [`TemplateAnswer::Started`], then [`TemplateAnswer::Advanced`] at every change.
    Start(Shared<Job>),
    /// Stop a run.
    Cancel(Shared<Run>),
    /// Go on with a run from the step that failed.
    Retry(Shared<Run>),
    /// Write a text into a file for the editor. Answered by [`TemplateAnswer::TextReady`].
    WriteText {
        /// What the file is called.
        name: String,
        /// The text.
        text: String,
    },
    /// Read such a file back and delete it. Answered by [`TemplateAnswer::TextRead`].
    ReadText(std::path::PathBuf),
}

/// What comes of it.
#[derive(Debug, Clone, PartialEq)]
pub enum TemplateAnswer {
    /// What is known of a template.
    Opened(Box<Opened>),
    /// All runs, the newest first.
    History(Shared<Vec<PastRun>>),
    /// Choices, the best first; or why there are none.
    Choices(Result<Shared<Vec<Choice>>, String>),
    /// The draft is on disk; or why not.
    DraftKept(Result<(), String>),
    /// What a dry run found; or why there is nothing.
    Reviewed(Result<Shared<Reviewed>, String>),
    /// A run goes on; or why it did not begin.
    Started(Result<Shared<Run>, String>),
    /// The run has changed; this is how it is now.
    Advanced(Shared<RunState>),
    /// The file for the editor.
    TextReady(Result<std::path::PathBuf, String>),
    /// What the editor left in it.
    TextRead(Result<String, String>),
}

/// What is known of a template beside its entity.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Where relative addresses start.
    pub base: Base,
    /// Flags and hosts of repositories that are configured.
    pub facts: Facts,
    /// The draft that was left.
    pub draft: Option<Shared<KeptDraft>>,
    /// The run that was asked for; or why it is not there.
    pub run: Option<Result<Shared<PastRun>, String>>,
    /// A run of it that still goes on, started from another place of this session.
    pub running: Option<Shared<Run>>,
}

/// Two answers are the same when they are the same answer; nobody compares them otherwise.
impl PartialEq for Opened {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

/// A draft on disk.
#[derive(Debug, Clone)]
pub struct KeptDraft {
    /// The draft.
    pub draft: Draft,
    /// Pointer of the field that had the focus.
    pub pointer: String,
    /// When it was written.
    pub saved: jiff::Timestamp,
}

/// A review with what changes in each file.
#[derive(Debug, Clone, Default)]
pub struct Reviewed {
    /// What the dry run found.
    pub review: Review,
    /// How much of each file changes, in the order of the files.
    pub amounts: Vec<Amount>,
    /// Answers that are not in the catalog although they have to be: pointer and ref.
    pub strays: Vec<(String, String)>,
}

impl Reviewed {
    /// Compares the files of a review with what is there.
    pub fn new(review: Review, strays: Vec<(String, String)>) -> Self {
        let amounts = review.files.iter().map(|file| FileDiff::of(file).amount).collect();
        Self { review, amounts, strays }
    }
}
