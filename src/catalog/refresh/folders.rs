//! Lists of folders in little memory: large trees have a hundred thousand of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Folders in the order of their names, each once; a copy costs nothing.
#[derive(Debug, Clone, Default)]
pub struct Folders(Arc<List>);

#[derive(Debug, Default, PartialEq, Eq)]
struct List {
    text: String,
    ends: Vec<u32>,
    /// Those whose names are no text; few have them.
    odd: Vec<PathBuf>,
}

impl PartialEq for Folders {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl FromIterator<PathBuf> for Folders {
    fn from_iter<I: IntoIterator<Item = PathBuf>>(folders: I) -> Self {
        let (mut named, mut odd) = (Vec::new(), Vec::new());
        for folder in folders {
            match folder.into_os_string().into_string() {
                Ok(text) => named.push(text),
                Err(name) => odd.push(PathBuf::from(name)),
            }
        }
        odd.sort_unstable();
        odd.dedup();
        named.sort_unstable();
        named.dedup();
        let mut list = List {
            text: String::with_capacity(named.iter().map(String::len).sum()),
            ends: Vec::with_capacity(named.len()),
            odd,
        };
        for name in named {
            list.text.push_str(&name);
            list.ends.push(list.text.len() as u32);
        }
        Self(Arc::new(list))
    }
}

impl Folders {
    /// Joins several lists.
    pub fn union(lists: &[Self]) -> Self {
        let mut filled = lists.iter().filter(|list| !list.is_empty());
        match (filled.next(), filled.next()) {
            (None, _) => Self::default(),
            (Some(only), None) => only.clone(),
            _ => lists.iter().flat_map(|list| list.iter().map(Path::to_owned)).collect(),
        }
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.ends.is_empty() && self.0.odd.is_empty()
    }

    /// Returns whether a folder is among them.
    pub fn contains(&self, folder: &Path) -> bool {
        let Some(text) = folder.to_str() else {
            return self.0.odd.binary_search_by(|odd| odd.as_path().cmp(folder)).is_ok();
        };
        let (mut low, mut high) = (0, self.0.ends.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.name(middle).cmp(text) {
                std::cmp::Ordering::Equal => return true,
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        false
    }

    /// Iterates over all of them.
    pub fn iter(&self) -> impl Iterator<Item = &Path> {
        let named = (0..self.0.ends.len()).map(|at| Path::new(self.name(at)));
        named.chain(self.0.odd.iter().map(PathBuf::as_path))
    }

    fn name(&self, at: usize) -> &str {
        let end = |at: usize| self.0.ends.get(at).copied().unwrap_or(0) as usize;
        let start = at.checked_sub(1).map_or(0, end);
        self.0.text.get(start..end(at)).unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_each_folder_once_in_order() {
        let folders: Folders = ["/b", "/a/c", "/a", "/b"].into_iter().map(PathBuf::from).collect();
        assert_eq!(folders.iter().collect::<Vec<_>>(), ["/a", "/a/c", "/b"].map(Path::new));
        for (folder, is_there) in [("/a", true), ("/a/c", true), ("/a/", false), ("/c", false), ("", false)] {
            assert_eq!(folders.contains(Path::new(folder)), is_there, "{folder}");
        }
        let other: Folders = [PathBuf::from("/c"), PathBuf::from("/a")].into_iter().collect();
        let both = Folders::union(&[folders.clone(), Folders::default(), other]);
        assert_eq!(both.iter().collect::<Vec<_>>(), ["/a", "/a/c", "/b", "/c"].map(Path::new));
        assert_eq!(Folders::union(&[Folders::default(), folders.clone()]), folders);
        assert!(Folders::union(&[]).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn holds_names_that_are_no_text() {
        use std::os::unix::ffi::OsStrExt as _;
        let odd = Path::new(std::ffi::OsStr::from_bytes(b"/a\xff"));
        let folders: Folders = [odd.to_owned(), PathBuf::from("/a")].into_iter().collect();
        assert!(folders.contains(odd) && folders.contains(Path::new("/a")));
        assert_eq!(folders.iter().count(), 2);
    }
}
