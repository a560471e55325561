//! Port-forwards of this session: where they lead, what went through, what is wrong.

use crate::app::Context;
use crate::app::commands::{Availability, CommandId, CommandSpec, Group, id};
use crate::app::context::{grouped, size};
use crate::app::event::{Effect, TaskEvent};
use crate::app::input::{Mouse, MouseKind};
use crate::app::list::ListState;
use crate::app::overlay::Overlay;
use crate::app::pane::{Heading, Input, Pane, PaneSpec};
use crate::app::place::Place;
use crate::app::subject::Subject;
use crate::config::theme::Role;
use crate::kubernetes::Order;
use crate::kubernetes::state::Forward;
use crate::ui::text::{Line, put, span};
use crate::ui::theme::{Sign, style};
use crate::ui::widgets::{Column, Table};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;

const GO: CommandSpec = CommandSpec::new(
    CommandId("go.forwards"),
    "forwards",
    "Ports of this machine that lead into clusters",
    &[],
    0,
);
const STOP: CommandId = CommandId("forwards.stop");

/// Registration.
pub const SPEC: PaneSpec = PaneSpec {
    id: "forwards",
    title: "Port-forwards",
    help: "Ports of this machine that lead into clusters",
    aliases: &["forward", "port-forwards", "pf"],
    go: Some(GO),
    permission: Some(crate::permissions::CATALOG_READ),
    commands: &[CommandSpec::new(
        STOP,
        "stop",
        "End the focused forward; its connections are cut",
        &["D"],
        20,
    )],
    groups: &[Group::Subject, Group::Move],
    open: |_, _| Ok(Box::new(ForwardsPane::default())),
};

const COLUMNS: [Column; 6] = [
    Column { title: "HERE", min: 16, weight: 0, priority: 0 },
    Column { title: "LEADS TO", min: 20, weight: 3, priority: 0 },
    Column { title: "PORT", min: 5, weight: 0, priority: 1 },
    Column { title: "STATE", min: 14, weight: 3, priority: 2 },
    Column { title: "CONNECTIONS", min: 11, weight: 0, priority: 3 },
    Column { title: "IN / OUT", min: 18, weight: 0, priority: 4 },
];

/// State of the pane.
#[derive(Debug, Default)]
struct ForwardsPane {
    rows: Arc<[Forward]>,
    list: ListState,
}

impl ForwardsPane {
    fn focused(&self) -> Option<&Forward> {
        self.rows.get(self.list.cursor)
    }

    fn refresh(&mut self, cx: &Context) {
        let focused = self.focused().map(|row| row.id);
        self.rows = cx.kubernetes.forwards.clone();
        if let Some(at) = focused.and_then(|id| self.rows.iter().position(|row| row.id == id)) {
            self.list.cursor = at;
        }
        self.list.clamp(self.rows.len(), Table::height(cx.area));
    }

    fn stop(&self, cx: &Context) -> Vec<Effect> {
        let Some(row) = self.focused() else { return Vec::new() };
        let text = vec![
            format!("localhost:{} to {}", row.local, cx.kubernetes.ref_text(&row.target)),
            format!("{} connections so far; those that are open are cut", row.connections),
        ];
        let effects = vec![Effect::Kubernetes(Order::EndForward(row.id))];
        vec![Effect::Show(Overlay::question("end this forward?", text, "end it", effects))]
    }

    fn cells(cx: &Context, row: &Forward) -> Vec<Line> {
        let text = |words: String| vec![span(words, Role::Text)];
        let (state, role) = match &row.problem {
            None => (format!("{} open", Sign::Ok.text(cx)), Sign::Ok.role()),
            Some(problem) => (format!("{} {problem}", Sign::Error.text(cx)), Sign::Error.role()),
        };
        vec![
            text(format!("localhost:{}", row.local)),
            text(cx.kubernetes.ref_text(&row.target)),
            text(row.remote.to_string()),
            vec![span(state, role)],
            text(grouped(row.connections as usize)),
            text(format!("{} / {}", size(row.bytes.0 as usize), size(row.bytes.1 as usize))),
        ]
    }

    fn mouse(&mut self, mouse: Mouse, cx: &Context) {
        let (len, height) = (self.rows.len(), Table::height(cx.area));
        let table = Table { columns: &COLUMNS, sort: None, list: &self.list, len, is_focused: true };
        let row = table.row_at(cx.area, mouse.column, mouse.row);
        match (mouse.kind, row) {
            (MouseKind::ScrollUp, _) => self.list.scroll(-3, len, height),
            (MouseKind::ScrollDown, _) => self.list.scroll(3, len, height),
            (_, Some(row)) => self.list.select(row, len, height),
            _ => {}
        }
    }
}

/// Returns the address of a forward for a browser.
fn url(row: &Forward) -> String {
    let scheme = if matches!(row.remote, 443 | 8443 | 6443) { "https" } else { "http" };
    format!("{scheme}://localhost:{}", row.local)
}

impl Pane for ForwardsPane {
    fn spec(&self) -> &'static PaneSpec {
        &SPEC
    }

    fn place(&self) -> Place {
        Place::new(SPEC.id)
    }

    fn heading(&self, _cx: &Context) -> Heading {
        Heading {
            crumbs: vec![SPEC.title.to_owned()],
            count: grouped(self.rows.len()),
            is_live: true,
            ..Heading::default()
        }
    }

    fn update(&mut self, input: Input<'_>, cx: &Context) -> Vec<Effect> {
        match input {
            Input::Shown | Input::Task(TaskEvent::Kubernetes(_)) => self.refresh(cx),
            Input::Command(STOP) => return self.stop(cx),
            // what a forward opens is the program behind it
            Input::Command(id::OPEN) => {
                return self.focused().map(|row| vec![Effect::OpenUrl(url(row))]).unwrap_or_default();
            }
            Input::Command(command) => {
                self.list.command(command, self.rows.len(), Table::height(cx.area));
            }
            Input::Mouse(mouse) => self.mouse(mouse, cx),
            _ => {}
        }
        Vec::new()
    }

    fn availability(&self, command: CommandId, _cx: &Context) -> Availability {
        match command {
            STOP | id::OPEN if self.focused().is_none() => Availability::no("there is no forward"),
            _ => Availability::Available,
        }
    }

    fn subjects(&self, cx: &Context) -> Vec<Subject> {
        let subject = |row: &Forward| {
            let url = url(row);
            Subject {
                // `y` copies the address, which is what one wants of a forward
                name: url.clone(),
                links: vec![("forwarded port".to_owned(), url)],
                copies: vec![("ref", cx.kubernetes.ref_text(&row.target))],
                ..Subject::default()
            }
        };
        self.focused().map(subject).into_iter().collect()
    }

    fn view(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let (list, len) = (&self.list, self.rows.len());
        let table = Table { columns: &COLUMNS, sort: None, list, len, is_focused: true };
        table.draw(cx, area, buf, |row| {
            (self.rows.get(row).map(|row| Self::cells(cx, row)).unwrap_or_default(), false)
        });
        if self.rows.is_empty() && area.height > 3 {
            let says = [
                ("no port is forwarded", Role::Text),
                (
                    "F on a pod, service or workload forwards one; it stays until it is ended or you quit",
                    Role::Dim,
                ),
            ];
            for (row, (words, role)) in says.into_iter().enumerate() {
                let width = area.width.saturating_sub(3);
                put(buf, area.x + 2, area.y + 2 + row as u16, width, words, style(cx, role));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::{Kind, ObjectRef};

    fn forward(id: u32, remote: u16) -> Forward {
        let target = ObjectRef {
            cluster: "prod".into(),
            kind: Kind::Service,
            namespace: "shop".into(),
            name: "web".into(),
        };
        Forward { id, target, local: 4000 + remote, remote, connections: 0, bytes: (0, 0), problem: None }
    }

    #[test]
    fn the_cursor_stays_on_its_forward() {
        let mut cx = Context::new(&[]);
        let mut pane = ForwardsPane::default();
        let show = |cx: &mut Context, forwards: Vec<Forward>, pane: &mut ForwardsPane| {
            let state = crate::kubernetes::State { forwards: forwards.into(), ..Default::default() };
            cx.kubernetes = Arc::new(state);
            pane.refresh(cx);
        };
        show(&mut cx, vec![forward(1, 80), forward(2, 443)], &mut pane);
        pane.update(Input::Command(id::DOWN), &cx);
        show(&mut cx, vec![forward(2, 443)], &mut pane);
        assert_eq!(pane.focused().map(|row| row.id), Some(2));
        assert_eq!(pane.subjects(&cx)[0].name, "https://localhost:4443");
        show(&mut cx, Vec::new(), &mut pane);
        assert_eq!(pane.availability(STOP, &cx), Availability::no("there is no forward"));
    }

    #[test]
    fn ending_asks_first() {
        let mut cx = Context::new(&[]);
        cx.kubernetes = Arc::new(crate::kubernetes::State {
            forwards: vec![forward(7, 80)].into(),
            ..Default::default()
        });
        let mut pane = ForwardsPane::default();
        pane.refresh(&cx);
        let effects = pane.update(Input::Command(STOP), &cx);
        let Some(Effect::Show(question)) = effects.first() else { panic!("{effects:?}") };
        assert_eq!(question.focused().map(|item| item.label.as_str()), Some("no"));
        assert_eq!(question.items[1].effects, [Effect::Kubernetes(Order::EndForward(7))]);
    }
}
