//! Drawings that several panes share. They know rows, lines and areas, never catalogs.

pub mod filter_line;
pub mod flow;
pub mod panel;
pub mod sections;
pub mod table;
pub mod text_view;

pub use flow::{Flow, FlowState, Piece, Step};
pub use panel::Panel;
pub use sections::{SectionList, Sections};
pub use table::{Column, Table};
pub use text_view::TextView;
