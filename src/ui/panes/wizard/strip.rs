//! The line of steps above a form: which are done, which is on, which come.

use crate::app::Context;
use crate::config::theme::Role;
use crate::model::text::{clean, width};
use crate::ui::text::{Line, line_width, span};
use crate::ui::theme::Sign;

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// On screen.
    Here,
    /// Seen, and nothing is wrong with it.
    Done,
    /// Seen, and something is wrong with it.
    Wrong,
    /// Not seen yet.
    Ahead,
}

/// Returns the line for steps in order; titles give way to numbers where there is no room.
pub fn line(cx: &Context, steps: &[(String, Mark)], cells: usize) -> Line {
    let whole = entries(cx, steps, usize::MAX);
    if line_width(&whole) <= cells {
        return whole;
    }
    for room in [16, 10, 6] {
        let cut = entries(cx, steps, room);
        if line_width(&cut) <= cells {
            return cut;
        }
    }
    entries(cx, steps, 0)
}

/// `room` is what a title other than that of the step on screen may take.
fn entries(cx: &Context, steps: &[(String, Mark)], room: usize) -> Line {
    let mut line = vec![span(" ", Role::Text)];
    for (at, (title, mark)) in steps.iter().enumerate() {
        let number = at + 1;
        let title = clean(title);
        let is_here = *mark == Mark::Here;
        let shown = if is_here || width(&title) <= room {
            title.into_owned()
        } else if room < 6 {
            String::new()
        } else {
            crate::model::text::cut(&title, room).into_owned()
        };
        let (sign, role) = match mark {
            Mark::Here => (if cx.ascii { ">" } else { "▸" }, Role::Focus),
            Mark::Done => (Sign::Ok.text(cx), Role::Ok),
            Mark::Wrong => (Sign::Error.text(cx), Role::Error),
            Mark::Ahead => (" ", Role::Dim),
        };
        line.push(span(format!("{sign} "), role));
        let text = if shown.is_empty() { number.to_string() } else { format!("{number} {shown}") };
        let role = match mark {
            Mark::Here => Role::Title,
            Mark::Ahead => Role::Dim,
            Mark::Done | Mark::Wrong => Role::Text,
        };
        line.push(span(text, role));
        if number < steps.len() {
            line.push(span("  ", Role::Text));
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(steps: &[(&str, Mark)], cells: usize) -> String {
        let cx = Context::new(&[]);
        let steps: Vec<(String, Mark)> =
            steps.iter().map(|(title, mark)| ((*title).to_owned(), *mark)).collect();
        line(&cx, &steps, cells).into_iter().map(|span| span.text).collect()
    }

    #[test]
    fn titles_give_way_to_numbers() {
        let steps = [
            ("Basics", Mark::Done),
            ("Who owns it and why", Mark::Here),
            ("Runtime", Mark::Ahead),
            ("Review", Mark::Ahead),
        ];
        assert_eq!(text(&steps, 80), " ✓ 1 Basics  ▸ 2 Who owns it and why    3 Runtime    4 Review");
        assert_eq!(text(&steps, 50), " ✓ 1  ▸ 2 Who owns it and why    3    4");
    }
}
