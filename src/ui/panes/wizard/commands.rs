//! What can be done in the wizard, with keys that work while something is typed.

use crate::app::commands::{CommandId, CommandSpec};

macro_rules! ids {
    ($($name:ident = $text:literal;)*) => { $(
        #[doc = concat!("`", $text, "`")]
        pub const $name: CommandId = CommandId($text);
    )* };
}

ids! {
    NEXT = "wizard.next"; PREVIOUS = "wizard.previous"; ENTER = "wizard.enter"; REVIEW = "wizard.review";
    DOWN = "wizard.down"; UP = "wizard.up";
    EDITOR = "wizard.editor"; SAVE = "wizard.save-answers"; ADD = "wizard.add"; REMOVE = "wizard.remove";
    ITEM_UP = "wizard.item-up"; ITEM_DOWN = "wizard.item-down"; START_OVER = "wizard.start-over";
    CREATE = "wizard.create"; DECIDE = "wizard.decide"; RETRY = "wizard.retry"; CHANGE = "wizard.change-answers";
    CANCEL = "wizard.cancel"; OPEN_FOLDER = "wizard.open-folder"; OPEN_ENTITY = "wizard.open-entity";
    COPY = "wizard.copy"; BROWSE = "wizard.browse"; FOLLOW = "wizard.follow"; LEAVE = "wizard.leave";
    ZOOM = "wizard.zoom"; DRAFT = "wizard.draft"; KEY_NAME = "wizard.key-name";
    OUT = "wizard.out";
}

/// Rows of the pane.
pub const ROWS: &[CommandSpec] = &[
    CommandSpec::new(
        ENTER,
        "next",
        "Take the answer and go to the next field, then the next page; open the focused row",
        &["enter"],
        2,
    ),
    CommandSpec::new(NEXT, "next", "Next field, then the next page; the other region", &["tab"], 0),
    CommandSpec::new(PREVIOUS, "back", "Previous field, then the previous page", &["shift-tab"], 1),
    CommandSpec::new(DOWN, "next choice", "Next choice of the field, or the next field", &["down"], 0),
    CommandSpec::new(
        UP,
        "previous choice",
        "Previous choice of the field, or the previous field",
        &["up"],
        0,
    ),
    CommandSpec::new(
        REVIEW,
        "review",
        "Show answers, files and side effects before anything is done",
        &["ctrl-r"],
        3,
    ),
    CommandSpec::new(SAVE, "save answers", "Write the answers without secrets into a file", &["ctrl-s"], 4),
    CommandSpec::new(EDITOR, "editor", "Write the text of the field in $EDITOR", &["ctrl-o"], 5),
    CommandSpec::new(
        ADD,
        "add",
        "Add an item to the list, or a name to the object",
        &["ctrl-n", "insert"],
        6,
    ),
    CommandSpec::new(REMOVE, "remove", "Take the item out of the list", &["ctrl-d"], 7),
    CommandSpec::new(ITEM_UP, "item up", "Move the item up in its list", &["ctrl-up"], 0),
    CommandSpec::new(ITEM_DOWN, "item down", "Move the item down in its list", &["ctrl-down"], 0),
    CommandSpec {
        danger: true,
        ..CommandSpec::new(CREATE, "create", "Do it: make files and side effects; asks first", &["c"], 8)
    },
    CommandSpec::new(
        DECIDE,
        "keep or replace",
        "Choose for the file that is there: keep, replace, both",
        &["space"],
        9,
    ),
    CommandSpec::new(ZOOM, "zoom", "Show the detail alone, or list and detail", &["z"], 20),
    CommandSpec::new(RETRY, "retry", "Go on from the step that failed", &["r"], 10),
    CommandSpec::new(CHANGE, "change answers", "Go back to the answers of this run", &["a"], 11),
    CommandSpec::new(OPEN_FOLDER, "editor", "Open the folder that was made in the editor", &["e"], 12),
    CommandSpec::new(
        OPEN_ENTITY,
        "open entity",
        "Read the sources again and open the new entity",
        &["E"],
        13,
    ),
    CommandSpec::new(FOLLOW, "follow", "Follow the end of the log", &["f"], 14),
    CommandSpec::new(BROWSE, "browser", "Open the focused link in the browser", &["o"], 15),
    CommandSpec::new(COPY, "copy", "Copy the log, the text or the file that is shown", &["y"], 16),
    CommandSpec::new(CANCEL, "stop", "Stop the run; asks first", &["s"], 17),
    CommandSpec::new(START_OVER, "start over", "Forget the draft and its answers; asks first", &[], 0),
    CommandSpec::new(LEAVE, "leave", "Leave the wizard; the draft stays", &[], 0),
];
