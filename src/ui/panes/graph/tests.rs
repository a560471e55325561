use crate::ui::panes::test_support::{lines, open, sample};

#[test]
fn show() {
    for (w, h, arg) in [(80, 24, "checkout"), (80, 24, "checkout as=boxes"), (120, 40, "checkout depth=2"), (120, 40, "checkout as=boxes"), (200, 60, "checkout depth=2"), (80,24,"ledger impact"), (120,40,"ledger impact")] {
        let cx = sample(w, h);
        let arg2 = arg.replace("checkout", "component:default/checkout-api").replace("ledger ", "resource:default/ledger-db ");
        let _ = &arg2;
        let root = cx.catalog.entities().filter(|e| e.kind() == "Component").max_by_key(|e| e.relations().count()).unwrap().entity_ref().to_owned();
        let pane = open("graph", &arg.replace("checkout", &root).replace("ledger", &root), &cx);
        println!("== {w}x{h} {arg} {:?}", pane.heading(&cx));
        for l in lines(pane.as_ref(), &cx) { println!("{l}"); }
    }
}
