//! What a user is told, word for word where the words matter.

use super::*;
use crate::error::Location;
use crate::read::file::InputFile;

fn message(outcome: Result<impl std::fmt::Debug, DataError>) -> String {
    outcome.unwrap_err().to_string()
}

/// The error of opening and reading a file, with the folder left out of the message.
fn of_file(name: &str, content: impl AsRef<[u8]>) -> String {
    let (folder, path) = file(name, content);
    let outcome = open(&path).and_then(|data| {
        let all: Vec<usize> = (0..data.fields().len()).collect();
        records_of(&data, &all)
    });
    message(outcome).replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn no_such_file() {
    let (folder, _) = file("engel.csv", "x\n1\n");
    let asked = folder.path().join("engle.csv");
    assert_eq!(message(open(&asked)), format!("no such file: {}; did you mean engel.csv?", asked.display()));
    let other = folder.path().join("weather.parquet");
    assert_eq!(message(open(&other)), format!("no such file: {}", other.display()));
}

#[test]
fn empty_files() {
    for (name, content) in [("x.csv", ""), ("x.parquet", ""), ("x.csv", " \n\n"), ("x.jsonl", "\n")] {
        assert_eq!(of_file(name, content), format!("{name} is empty: it has neither a header nor a record"));
    }
}

#[test]
fn ragged_rows() {
    assert_eq!(
        of_file("x.csv", "a,b\n1,2\n\n3,4,5\n"),
        "x.csv, line 4 (record 2): 3 fields where 2 were expected, with `,` between fields; a field that contains the delimiter \
         must be in double quotes"
    );
    assert_eq!(
        of_file("x.csv", "a,\"b\nc\"\n1,2\n3\n"),
        "x.csv, line 4 (record 2): 1 field where 2 were expected, with `,` between fields; complete the line, or name another \
         delimiter with delimiter"
    );
}

#[test]
fn text_where_a_number_was() {
    assert_eq!(
        of_file("x.csv", "a,b\n1,2\n3,\"two\n lines\"\n5,abc\n7,8\n9,9\n1,1\n"),
        "x.csv, line 3 (record 2), column `b`: `two\n lines` is not a number; if it stands for a missing value, say na \"two\n \
         lines\"; if the column is text, say text \"b\""
    );
    assert_eq!(
        of_file("x.csv", "a,day\n1,2024-01-01\n3,2024-02-30\n5,2024-03-01\n"),
        "x.csv, line 3 (record 2), column `day`: `2024-02-30` is not a date (yyyy-mm-dd); if it stands for a missing value, say \
         na \"2024-02-30\"; if the column is text, say text \"day\""
    );
    assert_eq!(
        of_file("x.jsonl", "{\"a\": 1}\n{\"a\": true}\n{\"a\": 2}\n"),
        "x.jsonl, line 2 (record 2), column `a`: `true` is not a number; if it stands for a missing value, say na \"true\"; if the \
         column is text, say text \"a\""
    );
}

#[test]
fn lines_and_records_count_from_the_beginning_of_the_file() {
    let lines: String = (0..5000)
        .map(|number| if number == 4321 { "x,oops\n".to_owned() } else { format!("{number},1\n\n") })
        .collect();
    let (_folder, path) = file("x.csv", format!("a,b\n{lines}"));
    for (threads, unit) in [(1, 64), (3, 1000), (2, 1 << 20)] {
        let options = ReadOptions { threads, ..options() };
        let data = Dataset::in_units(&Inputs::find(&[path.display().to_string()]).unwrap(), &options, unit).unwrap();
        let error = records_of(&data, &[0, 1]).unwrap_err();
        let at = error.location().unwrap();
        assert_eq!((at.line, at.record), (Some(2 + 2 * 4321), Some(4322)), "{threads} threads, units of {unit}");
        assert_eq!(at.column.as_deref(), Some("a"));
    }
}

#[test]
fn of_several_errors_the_first_is_told() {
    let lines: String = (0..2000).map(|number| if number % 300 == 299 { "bad\n" } else { "1\n" }).collect();
    let (_folder, path) = file("x.csv", format!("a\n{lines}"));
    for threads in [1, 2, 4] {
        let data = Dataset::in_units(
            &Inputs::find(&[path.display().to_string()]).unwrap(),
            &ReadOptions { threads, ..options() },
            50,
        )
        .unwrap();
        let error = records_of(&data, &[0]).unwrap_err();
        assert_eq!(error.location().and_then(|at| at.record), Some(300));
    }
}

#[test]
fn errors_of_the_work_are_placed_in_the_file() {
    let (_folder, path) = file("x.csv", "a\n1\n2\n3\n4\n5\n6\n");
    let data = Dataset::in_units(&Inputs::find(&[path.display().to_string()]).unwrap(), &options(), 4).unwrap();
    let no_five = |frames: &mut Frames<'_>| {
        for frame in frames {
            let frame = frame?;
            for row in 0..frame.rows {
                if cell(&frame.columns[0], row) == Cell::Number(5.0) {
                    let record = Some(frame.first_record + row as u64 + 1);
                    let at = Location { file: data.file_name(frame.file).to_owned(), record, ..Location::default() };
                    return Err(DataError::Invalid { at, what: "five".into() });
                }
            }
        }
        Ok(())
    };
    let outcome = data.scan(&[0], Decimals::Double, &(), no_five, |_, ()| Ok(()));
    assert_eq!(message(outcome), format!("{}, record 5: five", path.display()));
}

#[test]
fn duplicate_columns() {
    assert_eq!(
        of_file("x.csv", "a,b,a\n1,2,3\n"),
        "x.csv: columns 1 and 3 are both named `a`; rename one of them (if the first line is data, not names, say no_header)"
    );
}

#[test]
fn not_utf8() {
    let advice = "not UTF-8; convert the file, for example with `iconv -f latin1 -t utf-8`";
    assert_eq!(of_file("x.csv", b"a,b\n1,x\n2,caf\xe9\n"), format!("x.csv, line 3 (record 2), column `b`: {advice}"));
    assert_eq!(of_file("x.csv", b"caf\xe9,b\n1,x\n"), format!("x.csv, line 1: {advice}"));
    assert_eq!(
        of_file("x.csv", b"\xff\xfea\0\n\0"),
        "x.csv cannot be read as text: it is UTF-16; convert it to UTF-8, for example with `iconv -f utf-16 -t utf-8`"
    );
}

#[test]
fn quotes_that_are_not_in_order() {
    assert!(
        of_file("x.csv", "a,b\n1,2\n3,\"4\n5,6\n")
            .starts_with("x.csv, line 3: a double quote opens a field here and no quote closes it")
    );
    assert_eq!(
        of_file("x.csv", "a,b\n1,2\n3,\"4\"5\n"),
        "x.csv, line 3 (record 2): there is text after the quote that closes a field; a quote within a quoted field must be doubled"
    );
}

#[test]
fn truncated_and_damaged_compression() {
    let content: String = (0..2000).map(|number| format!("{number}\n")).collect();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, format!("x\n{content}").as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    let truncated = "x.csv.gz cannot be read as gzip: the compressed data end too early; the file is truncated";
    assert_eq!(of_file("x.csv.gz", &packed[..packed.len() / 2]), truncated);
    let mut damaged = packed;
    let middle = damaged.len() / 2;
    damaged[middle..middle + 8].fill(0xff);
    assert!(
        of_file("x.csv.gz", damaged).starts_with("x.csv.gz cannot be read as gzip: the compressed data are damaged (")
    );
    let packed = zstd::encode_all(content.as_bytes(), 1).unwrap();
    assert!(
        of_file("x.csv.zst", &packed[..packed.len() / 2])
            .starts_with("x.csv.zst cannot be read as zstd: the compressed data")
    );
}

#[test]
fn unknown_formats() {
    let advice = "name it with input_format csv, tsv, parquet, arrow, arrow-stream or ndjson";
    assert_eq!(of_file("x.xyz", "some words\n"), format!("cannot tell the format of x.xyz; {advice}"));
    assert!(of_file("x.parquet", "a,b\n1,2\n").starts_with("x.parquet cannot be read as Parquet: "));
    assert!(
        of_file("x.json", "[{\"a\": 1}]")
            .starts_with("x.json cannot be read as newline-delimited JSON: it is a JSON array; write one")
    );
    assert_eq!(
        of_file("x.jsonl", "{\"a\": 1}\n{\"a\": 1,}\n"),
        "x.jsonl, line 2: not a JSON object: trailing comma at byte 9"
    );
    // What standard input is spooled to has that name, and no ending to tell a format from.
    let stream = InputFile::spooled("standard input".to_owned(), &b"a,b\n1,2\n"[..]).unwrap();
    assert_eq!(Format::of(&stream).unwrap(), Format::Csv);
    let stream = InputFile::spooled("standard input".to_owned(), &b"some words\n1,2\n"[..]).unwrap();
    assert_eq!(message(Format::of(&stream)), format!("cannot tell the format of standard input; {advice}"));
    let stream = InputFile::spooled("standard input".to_owned(), &b"{\"a\": 1}\n"[..]).unwrap();
    assert_eq!(Format::of(&stream).unwrap(), Format::NdJson);
}

#[test]
fn files_that_do_not_go_together() {
    let cases = [
        ("b.csv", "x,z\n1,2\n", "its column 2 is `z`, not `y`"),
        ("b.csv", "x\n1\n", "it has no column `y`"),
        ("b.csv", "x,y,z\n1,2,3\n", "it has a column `z` more"),
        ("b.jsonl", "{\"x\": 1}\n", "it is newline-delimited JSON, not CSV"),
    ];
    for (name, content, difference) in cases {
        let (folder, first) = file("a.csv", "x,y\n1,2\n");
        let second = folder.path().join(name);
        std::fs::write(&second, content).unwrap();
        let (first, second) = (first.display(), second.display());
        let expected = format!("{second} does not go with {first}: {difference}; read them apart, or make them alike");
        assert_eq!(message(open(folder.path())), expected);
    }
}

#[test]
fn folders_and_patterns_without_data() {
    let (folder, _) = file("README.txt", "nothing");
    let name = folder.path().display();
    assert!(
        message(open(folder.path()))
            .starts_with(&format!("no data files in the folder {name}: none of its files ends in .csv"))
    );
    assert_eq!(message(open(&folder.path().join("*.csv"))), format!("no file matches {name}/*.csv"));
}

#[test]
fn options_that_cannot_be() {
    let (_folder, path) = file("x.csv", "a,b\n1,2\n");
    let open = |options| message(Dataset::open(&[path.display().to_string()], &options));
    let path = path.display();
    let unknown = ReadOptions { text: vec!["c".to_owned()], ..options() };
    assert_eq!(open(unknown), format!("{path} has no column `c` to be read as text; its columns are a, b"));
    let digit = ReadOptions { delimiter: Some(b'5'), ..options() };
    assert_eq!(open(digit), "`5` cannot be a delimiter; take a tab, a comma, a semicolon, a space, `|`, ...");
    assert!(message(Dataset::open::<&str>(&[], &options())).starts_with("no data: name a file"));
}
