//! What a graph place asks for, read from and written as the rest of its place line.

use crate::app::Context;
use crate::app::palette::find_entity;
use crate::catalog::graph::Direction;
use crate::model::entity_ref::split_canonical;
use crate::model::text::nearest;

/// Deepest graph; what is farther away is reached by going there.
pub const MAX_DEPTH: u32 = 12;

/// Relation text that follows nothing: every kind was switched off.
pub const NO_RELATION: &str = "none";

/// Tree, boxes, or both side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// An indented tree.
    Tree,
    /// Boxes with lines.
    Boxes,
    /// Both, where there is room.
    Both,
}

impl Form {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Tree, "as=tree"), (Self::Boxes, "as=boxes"), (Self::Both, "as=both")];
}

/// Which question is asked about the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// What is around it.
    Around,
    /// What breaks with it, and whom to tell.
    Impact,
    /// How it hangs together with another entity.
    Path(String),
    /// What depends on itself; has no root.
    Cycles,
}

/// A graph place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Canonical ref of the root; empty for [`Question::Cycles`].
    pub root: String,
    /// What is asked.
    pub question: Question,
    /// Steps from the root.
    pub depth: u32,
    /// Which way.
    pub direction: Direction,
    /// Relation types followed; empty: all.
    pub relations: Vec<String>,
    /// Form asked for; `None` is what fits the screen.
    pub form: Option<Form>,
}

impl Request {
    /// Returns the question about cycles.
    pub fn cycles() -> Self {
        Self {
            root: String::new(),
            question: Question::Cycles,
            depth: 1,
            direction: Direction::Both,
            relations: Vec::new(),
            form: None,
        }
    }

    /// Reads `REF [depth=N] [in|out|both] [impact] [path REF2] [relations=a,b] [as=tree]`.
    ///
    /// # Errors
    /// A sentence that says which word cannot be read and what could stand there.
    pub fn parse(argument: &str, cx: &Context) -> Result<Self, String> {
        let mut words = argument.split_whitespace();
        let mut request = Self::cycles();
        match words.next() {
            None => return Err("say around what: `graph checkout`, or `graph cycles`".to_owned()),
            Some("cycles") if find_entity("cycles", cx).is_none() => return Ok(request),
            Some(word) => request.root = known(word, cx)?,
        }
        request.question = Question::Around;
        while let Some(word) = words.next() {
            match word.split_once('=') {
                Some(("depth", number)) => {
                    let depth: u32 =
                        number.parse().map_err(|_| format!("`{number}` is no depth; write `depth=2`"))?;
                    request.depth = depth.clamp(1, MAX_DEPTH);
                }
                Some(("relations", list)) => {
                    request.relations =
                        list.split(',').filter(|r| !r.is_empty()).map(str::to_owned).collect();
                }
                _ => match word {
                    "impact" => request.question = Question::Impact,
                    "path" | "to" => {
                        let end = words.next().ok_or("say to where: `graph checkout path ledger`")?;
                        request.question = Question::Path(known(end, cx)?);
                    }
                    _ => request.read_word(word)?,
                },
            }
        }
        Ok(request)
    }

    fn read_word(&mut self, word: &str) -> Result<(), String> {
        if let Some(direction) = Direction::parse(word) {
            self.direction = direction;
            return Ok(());
        }
        match Form::ALL.iter().find(|(_, text)| *text == word) {
            Some((form, _)) => {
                self.form = Some(*form);
                Ok(())
            }
            None => Err(format!(
                "`{word}` says nothing to a graph; known are `depth=2`, `in`, `out`, `both`, `impact`, `path REF`, \
                 `relations=dependsOn,partOf`, `as=tree`"
            )),
        }
    }

    /// Returns the argument that [`Self::parse`] reads as this request, in its shortest form.
    pub fn line(&self) -> String {
        let mut words = vec![self.root.clone()];
        match &self.question {
            Question::Cycles => return "cycles".to_owned(),
            Question::Impact => words.push("impact".to_owned()),
            Question::Path(end) => words.push(format!("path {end}")),
            Question::Around => {
                if self.depth != 1 {
                    words.push(format!("depth={}", self.depth));
                }
                match self.direction {
                    Direction::Out => words.push("out".to_owned()),
                    Direction::In => words.push("in".to_owned()),
                    Direction::Both => {}
                }
                if !self.relations.is_empty() {
                    words.push(format!("relations={}", self.relations.join(",")));
                }
                if let Some(form) = self.form {
                    words.extend(
                        Form::ALL.iter().find(|(f, _)| *f == form).map(|(_, text)| (*text).to_owned()),
                    );
                }
            }
        }
        words.join(" ")
    }
}

/// Finds what a person means by a ref or name.
fn known(word: &str, cx: &Context) -> Result<String, String> {
    find_entity(word, cx).ok_or_else(|| {
        let names = cx.catalog.ids().map(|id| split_canonical(cx.catalog.ref_of(id)).2);
        let near = nearest(split_canonical(&word.to_lowercase()).2, names);
        let hint = near.first().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        format!("there is no entity `{word}`{hint}")
    })
}
