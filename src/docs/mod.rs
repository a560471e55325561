//! Documentation beside the code (TechDocs): where it is, how it reads in a terminal.
//!
//! Nothing is built: Markdown and `mkdocs.yml` are read as their authors wrote them.

pub mod markdown;
pub mod paint;
pub mod site;
