//! From the terminal's events to the application's.

use crate::app::event::Event;
use crate::app::input::{Key, KeyCode, Mouse, MouseKind};
use crossterm::event as ct;
use std::time::{Duration, Instant};

/// Two clicks within this time at the same place are a double click.
const DOUBLE: Duration = Duration::from_millis(500);

/// Remembers the last click to recognise a double one.
#[derive(Debug, Default)]
pub struct Clicks(Option<(Instant, u16, u16)>);

/// Translates a terminal event; `None` for what the application does not care about.
pub fn translate(event: ct::Event, clicks: &mut Clicks) -> Option<Event> {
    match event {
        ct::Event::Key(key) => translate_key(key).map(Event::Key),
        ct::Event::Paste(text) => Some(Event::Paste(text)),
        ct::Event::Resize(width, height) => Some(Event::Resize(width, height)),
        ct::Event::Mouse(mouse) => {
            let kind = match mouse.kind {
                ct::MouseEventKind::Down(ct::MouseButton::Left) => clicks.click(mouse.column, mouse.row),
                ct::MouseEventKind::ScrollUp => MouseKind::ScrollUp,
                ct::MouseEventKind::ScrollDown => MouseKind::ScrollDown,
                _ => return None,
            };
            Some(Event::Mouse(Mouse { kind, column: mouse.column, row: mouse.row }))
        }
        ct::Event::FocusGained | ct::Event::FocusLost => None,
    }
}

impl Clicks {
    fn click(&mut self, column: u16, row: u16) -> MouseKind {
        let now = Instant::now();
        let is_double = self.0.is_some_and(|(at, x, y)| now - at < DOUBLE && (x, y) == (column, row));
        self.0 = (!is_double).then_some((now, column, row));
        if is_double { MouseKind::DoubleClick } else { MouseKind::Click }
    }
}

fn translate_key(key: ct::KeyEvent) -> Option<Key> {
    if key.kind == ct::KeyEventKind::Release {
        return None;
    }
    let code = match key.code {
        ct::KeyCode::Char(c) => KeyCode::Char(c),
        ct::KeyCode::F(n) => KeyCode::F(n),
        ct::KeyCode::Enter => KeyCode::Enter,
        ct::KeyCode::Esc => KeyCode::Esc,
        ct::KeyCode::Tab | ct::KeyCode::BackTab => KeyCode::Tab,
        ct::KeyCode::Backspace => KeyCode::Backspace,
        ct::KeyCode::Delete => KeyCode::Delete,
        ct::KeyCode::Insert => KeyCode::Insert,
        ct::KeyCode::Up => KeyCode::Up,
        ct::KeyCode::Down => KeyCode::Down,
        ct::KeyCode::Left => KeyCode::Left,
        ct::KeyCode::Right => KeyCode::Right,
        ct::KeyCode::Home => KeyCode::Home,
        ct::KeyCode::End => KeyCode::End,
        ct::KeyCode::PageUp => KeyCode::PageUp,
        ct::KeyCode::PageDown => KeyCode::PageDown,
        _ => return None,
    };
    let held = |modifier| key.modifiers.contains(modifier);
    let is_char = matches!(code, KeyCode::Char(_));
    Some(Key {
        code,
        ctrl: held(ct::KeyModifiers::CONTROL),
        alt: held(ct::KeyModifiers::ALT),
        shift: !is_char && (held(ct::KeyModifiers::SHIFT) || key.code == ct::KeyCode::BackTab),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(code: ct::KeyCode, modifiers: ct::KeyModifiers) -> String {
        translate_key(ct::KeyEvent::new(code, modifiers)).unwrap().to_string()
    }

    #[test]
    fn keys_get_their_text_form() {
        use ct::KeyModifiers as M;
        assert_eq!(text(ct::KeyCode::Char('G'), M::SHIFT), "G");
        assert_eq!(text(ct::KeyCode::BackTab, M::SHIFT), "shift-tab");
        assert_eq!(text(ct::KeyCode::Char('p'), M::CONTROL), "ctrl-p");
    }

    #[test]
    fn the_second_click_at_the_same_place_is_double() {
        let mut clicks = Clicks::default();
        assert_eq!(clicks.click(1, 1), MouseKind::Click);
        assert_eq!(clicks.click(1, 1), MouseKind::DoubleClick);
        assert_eq!(clicks.click(1, 1), MouseKind::Click);
        assert_eq!(clicks.click(2, 1), MouseKind::Click);
    }
}
