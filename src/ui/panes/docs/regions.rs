//! Where the regions of the reader are, by the width of the screen.

use ratatui::layout::Rect;

/// Running text is at most this wide.
pub(super) const TEXT: u16 = 100;
/// From this width on, pages and contents stand beside the text.
const SPLIT: u16 = 100;
/// From this width on, pages stand at the left and contents at the right.
const THREE: u16 = 160;

/// A region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Region {
    /// The pages of the site, and its decision records.
    Pages,
    /// The page.
    #[default]
    Text,
    /// The headings of the page.
    Contents,
}

/// The areas of the regions; those that are not shown are empty.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Areas {
    pub pages: Rect,
    pub text: Rect,
    pub contents: Rect,
}

impl Areas {
    /// Returns the areas; with room for one region it is the focused one.
    pub(super) fn of(area: Rect, focused: Region, is_alone: bool) -> Self {
        let none = Rect { width: 0, height: 0, ..area };
        if area.width < SPLIT || area.height < 8 || is_alone {
            let mut out = Self { pages: none, text: none, contents: none };
            match focused {
                Region::Pages => out.pages = area,
                Region::Text => out.text = area,
                Region::Contents => out.contents = area,
            }
            return out;
        }
        if area.width < THREE {
            let side = (area.width / 4).clamp(24, 34);
            let upper = area.height / 2;
            return Self {
                pages: Rect { width: side, height: upper, ..area },
                contents: Rect { width: side, y: area.y + upper, height: area.height - upper, ..area },
                text: Rect { x: area.x + side, width: area.width - side, ..area },
            };
        }
        let side = ((area.width - TEXT - 4) / 2).clamp(28, 44);
        Self {
            pages: Rect { width: side, ..area },
            contents: Rect { x: area.right() - side, width: side, ..area },
            text: Rect { x: area.x + side, width: area.width - 2 * side, ..area },
        }
    }

    /// Returns the area inside a region's frame.
    pub(super) fn inner(area: Rect) -> Rect {
        crate::ui::widgets::Panel::inner(area)
    }

    /// Returns where lines of the page are drawn: at most [`TEXT`] wide, in the middle of what is left.
    pub(super) fn lines(&self) -> Rect {
        let is_framed = self.pages.width > 0 && self.text.width > 0;
        let inner = if is_framed { Self::inner(self.text) } else { self.text };
        let margin = u16::from(inner.width > 24);
        let room = inner.width.saturating_sub(2 * margin);
        let width = room.min(TEXT);
        Rect { x: inner.x + margin + (room - width) / 2, width, ..inner }
    }

    /// Whether more than one region is shown.
    pub(super) fn is_split(&self) -> bool {
        self.pages.width > 0 && self.text.width > 0
    }
}
