//! What the names of folders say of the files in them: `year=2024/month=07/part-0.parquet`.

use std::path::{Component, Path};

/// What the name of a folder says of the files in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Folder {
    pub column: String,
    pub value: String,
    /// Whether it was found, rather than named by the user.
    pub found: bool,
}

/// The columns that the folders of a path say, of whose components the user named so many.
pub(super) fn folders(path: &Path, named: usize) -> Vec<Folder> {
    let parent = path.parent().unwrap_or(Path::new(""));
    let folder = |(place, component): (usize, Component<'_>)| {
        let (column, value) = component.as_os_str().to_str()?.split_once('=')?;
        let says = matches!(component, Component::Normal(_)) && !column.is_empty();
        says.then(|| Folder { column: decoded(column), value: decoded(value), found: place >= named })
    };
    parent.components().enumerate().filter_map(folder).collect()
}

/// Whether the name of a folder says a column.
pub(super) fn is_folder(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.split_once('='));
    name.is_some_and(|(column, _)| !column.is_empty())
}

/// A text in which `%3A` stands for a colon.
fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&first, later)) = rest.split_first() {
        let code = rest.get(1..3).filter(|_| first == b'%').and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &rest[3..];
            }
            None => {
                bytes.push(first);
                rest = later;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_say_columns() {
        let found = folders(Path::new("data/year=2024/at=08%3A30/=x/part=0.csv"), 1);
        let folder = |column: &str, value: &str| Folder { column: column.into(), value: value.into(), found: true };
        assert_eq!(found, [folder("year", "2024"), folder("at", "08:30")]);
        assert!(!folders(Path::new("year=2024/d.csv"), 1)[0].found);
        assert!(is_folder(Path::new("d/year=2024")) && !is_folder(Path::new("d/=2024")));
        assert_eq!(decoded("100%"), "100%");
    }
}
