//! Finds templates: in a file that somebody names, and where those of the catalog lie.

use super::Template;
use super::template::Base;
use crate::catalog::Entity;
use crate::catalog::ingest::location_annotations;
use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::model::EntityRef;
use crate::model::value::ValueRef;
use crate::yaml;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use url::Url;

/// Annotation that says where the files of an entity are.
const SOURCE_LOCATION: &str = "backstage.io/source-location";
/// Largest file of a template, in bytes.
const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// Returns where relative addresses of a template of the catalog start: its source location, else the
/// file it was read from.
pub fn base_of(entity: Entity<'_>) -> Base {
    let read_from = entity.file().location_ref;
    let made = || {
        let made = location_annotations(read_from);
        made.into_iter().find(|(key, _)| *key == SOURCE_LOCATION).map(|(_, value)| value)
    };
    let written = entity.annotation(SOURCE_LOCATION).filter(|text| !text.is_empty()).map(str::to_owned);
    let location = written.or_else(made).unwrap_or_else(|| read_from.to_owned());
    base_at(&location)
}

/// Reads a location ref: `url:…`, `file:…`, `sample:…`.
pub fn base_at(location: &str) -> Base {
    let Some((kind, target)) = location.split_once(':') else {
        return Base::Unknown(format!("its location `{location}` is none"));
    };
    match kind {
        "url" => match Url::parse(target) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Base::Remote(url),
            _ => Base::Unknown(format!("its location `{target}` is no https address")),
        },
        "file" => {
            let path = PathBuf::from(
                target.strip_prefix("//").filter(|rest| rest.starts_with('/')).unwrap_or(target),
            );
            let is_folder = target.ends_with('/');
            let folder = if is_folder { Some(path.as_path()) } else { path.parent() };
            Base::Folder(folder.unwrap_or(Path::new(".")).to_owned())
        }
        "sample" => Base::Embedded(target.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned()),
        "git" => {
            Base::Unknown("it is read from a revision of a git repository, not from a folder".to_owned())
        }
        _ => Base::Unknown(format!("nobody knows where its files are (`{}`)", location.escape_debug())),
    }
}

/// Reads the first template of a file.
///
/// # Errors
/// When the file cannot be read, does not parse, or holds no template.
pub fn open_file(path: &Path) -> Result<Template, Box<Diagnostic>> {
    let shown: Arc<str> = path.display().to_string().into();
    let failed = |message: String| {
        Box::new(Diagnostic::error("template::unreadable", message).at(SourceLocation::file(&*shown)))
    };
    let size = path.metadata().map_err(|error| failed(format!("could not read `{shown}`: {error}")))?.len();
    if size > MAX_BYTES {
        return Err(failed(format!("`{shown}` is larger than {} MB", MAX_BYTES >> 20)));
    }
    let bytes = std::fs::read(path).map_err(|error| failed(format!("could not read `{shown}`: {error}")))?;
    let text = yaml::decode(&bytes, &shown)?;
    let mut mistake = None;
    for document in yaml::parse_stream(text, &shown) {
        match document.content {
            Ok(Some(node)) => {
                let is_template = node.get("kind").and_then(|kind| kind.as_str()) == Some("Template");
                if is_template {
                    let packed = node.to_packed();
                    return Ok(read(ValueRef::new(&packed), path));
                }
            }
            Ok(None) => {}
            Err(error) => mistake = mistake.or(Some(error)),
        }
    }
    Err(mistake.unwrap_or_else(|| {
        let mut diagnostic = failed(format!("`{shown}` holds no template"));
        diagnostic.hint = Some("a template is an entity with `kind: Template`".to_owned());
        diagnostic
    }))
}

fn read(entity: ValueRef<'_>, path: &Path) -> Template {
    let metadata = entity.get("metadata");
    let namespace = metadata.get("namespace").as_str().filter(|text| !text.is_empty()).unwrap_or("default");
    let name = metadata.get("name").as_str().unwrap_or_default();
    let entity_ref = EntityRef::new("template", namespace, name).to_string();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    Template::read(entity, &entity_ref, Base::Folder(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_folders_addresses_or_the_sample() {
        let cases = [
            ("file:/a/b/template.yaml", Base::Folder("/a/b".into())),
            ("file:///a/b/template.yaml", Base::Folder("/a/b".into())),
            ("file:/a/b/", Base::Folder("/a/b/".into())),
            ("sample:templates/x/template.yaml", Base::Embedded("templates/x".into())),
            (
                "url:https://h/o/r/tree/main/x/",
                Base::Remote(Url::parse("https://h/o/r/tree/main/x/").unwrap()),
            ),
        ];
        for (location, expected) in cases {
            assert_eq!(base_at(location), expected, "{location}");
        }
        for unknown in ["git:/a@b:c", "x", "url:ftp://a", "s3:b"] {
            assert!(matches!(base_at(unknown), Base::Unknown(_)), "{unknown}");
        }
    }

    #[test]
    fn the_first_template_of_a_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("template.yaml");
        let text =
            "kind: Component\n---\nkind: Template\nmetadata: {name: x}\nspec: {steps: [{action: a}]}\n";
        std::fs::write(&path, text).unwrap();
        let template = open_file(&path).unwrap();
        assert_eq!((&*template.entity_ref, template.steps.len()), ("template:default/x", 1));
        std::fs::write(&path, "kind: Component\n").unwrap();
        assert!(open_file(&path).unwrap_err().message.contains("holds no template"));
        std::fs::write(&path, "kind: [\n").unwrap();
        assert!(open_file(&path).is_err());
    }
}
