use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;

use super::Cell::{Missing, Number};
use super::*;

fn fields(data: &Dataset) -> Vec<(&str, Kind)> {
    data.fields().iter().map(|field| (field.name.as_str(), field.kind)).collect()
}

#[test]
fn a_file_with_a_bit_of_everything() {
    let content = "\u{feff}city,x,when,at,flag\r\nParis, 1.5 ,1970-01-02,1970-01-01T00:00:01Z,T\r\n\r\n\"New\r\nYork\",-inf,,NA,F\r\n,1e3,1969-12-31,1970-01-01 00:01:00.5,null";
    let (_folder, path) = file("all.csv", content);
    let data = open(&path).unwrap();
    let kinds = [Kind::Text, Kind::Number, Kind::Date, Kind::Timestamp, Kind::Boolean];
    assert_eq!(fields(&data), ["city", "x", "when", "at", "flag"].into_iter().zip(kinds).collect::<Vec<_>>());
    let expected = [
        vec![text("Paris"), Number(1.5), Number(1.0), Number(1.0), text("true")],
        vec![text("New\r\nYork"), Number(f64::NEG_INFINITY), Missing, Missing, text("false")],
        vec![Missing, Number(1000.0), Number(-1.0), Number(60.5), Missing],
    ];
    assert_eq!(records(&data), expected);
    let (some, _) = records_of(&data, &[3, 0]).unwrap();
    assert_eq!(some[0], [Number(1.0), text("Paris")], "columns come in the order they are asked for");
}

#[test]
fn delimiters_are_found() {
    let cases = [
        ("a,b\n1,2\n3,4\n", 2),
        ("a;b\n1,5;2,5\n3,25;4,0\n", 2),
        ("a\tb\n\"1,5\"\tx\n", 2),
        ("name|note\nx|one, two, three\ny|four, five\n", 2),
        ("a b\n1 2\n", 1),
        ("1,5;2,5;3,5\n1,5;2,5;3,5\n", 3),
        ("\"a;b;c\",d\n\"e;f;g\",h\n", 2),
    ];
    for (content, columns) in cases {
        let (_folder, path) = file("x.csv", content);
        assert_eq!(open(&path).unwrap().fields().len(), columns, "{content:?}");
    }
}

#[test]
fn options_for_delimiter_header_missing_and_text() {
    let (_folder, path) = file("x.txt", "1 -999 07\n2 3.5 08\n? -999.0 09\n");
    let options = ReadOptions {
        delimiter: Some(b' '),
        header: false,
        missing: vec!["-999".to_owned(), "?".to_owned()],
        text: vec!["V3".to_owned()],
        ..options()
    };
    let data = Dataset::open(&[path.display().to_string()], &options).unwrap();
    assert_eq!(fields(&data), [("V1", Kind::Number), ("V2", Kind::Number), ("V3", Kind::Text)]);
    let expected =
        [[Number(1.0), Missing, text("07")], [Number(2.0), Number(3.5), text("08")], [Missing, Missing, text("09")]];
    assert_eq!(records(&data), expected);
}

#[test]
fn a_header_alone_is_no_record() {
    let (_folder, path) = file("x.csv", "a,b\n\n");
    let data = open(&path).unwrap();
    assert_eq!(data.fields().len(), 2);
    assert!(records(&data).is_empty());
}

#[test]
fn columns_without_a_name_are_numbered() {
    let (_folder, path) = file("x.csv", ",a,\n1,2,3\n");
    assert_eq!(fields(&open(&path).unwrap()).iter().map(|field| field.0).collect::<Vec<_>>(), ["V1", "a", "V3"]);
}

/// 10^7 + 0.1 lies between two doubles; from mpmath at 60 digits: 10000000.1 = double + 3.7252902984619143e-10.
#[test]
fn low_words_are_kept_where_they_are_asked_for() {
    let (_folder, path) = file("x.csv", "x,y\n10000000.1,a\n,b\n\"-10000000.1\",c\n0.1234567890123456,d\n");
    let data = open(&path).unwrap();
    let low = |decimals| {
        let mut words = Vec::new();
        let frames = |frames: &mut Frames<'_>| frames.collect::<Result<Vec<_>, _>>();
        data.scan(&[0], decimals, &(), frames, |_, frames| {
            for frame in frames {
                let Column::Number { low, .. } = &frame.columns[0] else { panic!("not a number") };
                words.push(low.clone());
            }
            Ok(())
        })
        .unwrap();
        words
    };
    assert_eq!(low(Decimals::WithLow), [Some(vec![3.7252902984619143e-10, 0.0, -3.7252902984619143e-10, 0.0])]);
    assert_eq!(low(Decimals::Double), [None]);
}

#[test]
fn json_objects_with_keys_in_any_order() {
    let content = concat!(
        r#"{"x": 1, "city": "Par\u00efs", "flag": true, "tags": [1, 2], "day": "1970-01-11"}"#,
        "\n\n",
        r#"{"city": null, "x": -2.5e0, "more": {"a": 1}, "flag": false}"#,
        "\r\n",
        r#"{"x": null, "late": 3, "city": "Rome"}"#
    );
    let (_folder, path) = file("x.jsonl", content);
    let data = open(&path).unwrap();
    let kinds = [
        ("x", Kind::Number),
        ("city", Kind::Text),
        ("flag", Kind::Boolean),
        ("day", Kind::Date),
        ("late", Kind::Number),
    ];
    assert_eq!(fields(&data), kinds);
    assert_eq!(data.unread().iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["tags", "more"]);
    let expected = [
        vec![Number(1.0), text("Parïs"), text("true"), Number(10.0), Missing],
        vec![Number(-2.5), Missing, text("false"), Missing, Missing],
        vec![Missing, text("Rome"), Missing, Missing, Number(3.0)],
    ];
    assert_eq!(records(&data), expected);
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn compressed_files_are_told_by_their_first_bytes() {
    let (head, tail) = (&b"a,b\n1,2\n"[..], &b"3,4\n"[..]);
    let members = [gzip(head), gzip(tail)].concat();
    let frames = [zstd::encode_all(head, 1).unwrap(), zstd::encode_all(tail, 1).unwrap()].concat();
    for (name, content) in [("x.csv.gz", &members), ("x.csv", &members), ("x.csv.zst", &frames)] {
        let (_folder, path) = file(name, content);
        let expected = [[Number(1.0), Number(2.0)], [Number(3.0), Number(4.0)]];
        assert_eq!(records(&open(&path).unwrap()), expected, "{name}");
    }
}

#[test]
fn folders_and_patterns_are_read_in_the_order_of_names() {
    let folder = tempfile::tempdir().unwrap();
    let name = |name: &str| folder.path().join(name).display().to_string();
    for (file, content) in
        [("b.csv", "x\n2\n"), ("a.csv", "x\n1\n1.5\n"), ("README.txt", "no data"), (".c.csv", "x\n3\n")]
    {
        std::fs::write(name(file), content).unwrap();
    }
    for input in [name(""), name("*.csv"), name("[ab].csv")] {
        let data = Dataset::open(&[input], &options()).unwrap();
        let (found, origins) = records_of(&data, &[0]).unwrap();
        assert_eq!(found, [[Number(1.0)], [Number(1.5)], [Number(2.0)]]);
        let origin = |file, rows| Origin { file, first_record: 0, rows };
        assert_eq!(origins, [origin(0, 2), origin(1, 1)]);
        assert!(data.file_name(1).ends_with("b.csv"));
        assert_eq!(data.files().len(), 2);
        assert_eq!(data.size_in_bytes(), 8 + 4);
    }
}

struct Watched {
    bytes: AtomicU64,
    rows: AtomicU64,
    stop_at: u64,
}

impl Progress for Watched {
    fn advance(&self, bytes: u64, rows: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    fn cancelled(&self) -> bool {
        self.rows.load(Ordering::Relaxed) >= self.stop_at
    }
}

#[test]
fn progress_sums_to_the_whole_and_can_be_stopped() {
    let lines: String = (0..1000).map(|number| format!("{number},{number}\n")).collect();
    let (_folder, path) = file("x.csv", format!("x,y\n{lines}"));
    let data = Dataset::in_units(&Inputs::find(&[path.display().to_string()]).unwrap(), &options(), 100).unwrap();
    let count = |frames: &mut Frames<'_>| Ok(frames.count());
    let all = Watched { bytes: AtomicU64::new(0), rows: AtomicU64::new(0), stop_at: u64::MAX };
    data.scan(&[0], Decimals::Double, &all, count, |_, _| Ok(())).unwrap();
    assert_eq!((all.bytes.into_inner(), all.rows.into_inner()), (data.size_in_bytes(), 1000));
    let some = Watched { bytes: AtomicU64::new(0), rows: AtomicU64::new(0), stop_at: 500 };
    let stopped = data.scan(&[0], Decimals::Double, &some, count, |_, _| Ok(()));
    assert!(matches!(stopped, Err(DataError::Interrupted)));
    assert!((500..600).contains(&some.rows.into_inner()));
}

fn any_cell() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-z]{1,6}".prop_filter("no missing value", |word| word != "nan" && word != "null"),
        2 => any::<f64>().prop_filter("a value", |value| !value.is_nan()).prop_map(|value| value.to_string()),
        1 => Just(String::new()),
        2 => "[ \"\n\r,;|\té0-9.]{0,8}",
    ]
}

/// A cell as it stands in a file, in quotes if it must be or if `quote` is set.
fn written(cell: &str, delimiter: char, quote: bool) -> String {
    let special = cell.contains(['"', '\n', '\r', delimiter]) || cell.trim_ascii() != cell || cell.is_empty();
    if quote || special { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever is quoted, wherever the cuts fall and however many threads there are.
    #[test]
    fn written_tables_read_back(
        table in prop::collection::vec(prop::collection::vec((any_cell(), any::<bool>()), 3), 1..30),
        delimiter in prop::sample::select(vec![',', ';', '\t', '|']),
        line_end in prop::sample::select(vec!["\n", "\r\n", "\n\n", "\n \r\n"]),
        last_line_end in any::<bool>(),
        unit in 1usize..200,
        threads in 1usize..4,
    ) {
        let join = |cells: Vec<String>| cells.join(&delimiter.to_string());
        let mut lines = vec![join(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()])];
        lines.extend(table.iter().map(|row| join(row.iter().map(|(cell, quote)| written(cell, delimiter, *quote)).collect())));
        let content = lines.join(line_end) + if last_line_end { line_end } else { "" };
        let (_folder, path) = file("x.csv", content);
        let options = ReadOptions {
            threads,
            delimiter: Some(delimiter as u8),
            text: vec!["a".to_owned(), "b".to_owned(), "c".to_owned()],
            ..options()
        };
        let data = Dataset::in_units(&Inputs::find(&[path.display().to_string()]).unwrap(), &options, unit).unwrap();
        let (found, origins) = records_of(&data, &[0, 1, 2]).unwrap();
        let expected: Vec<Vec<Cell>> = table.iter()
            .map(|row| row.iter().map(|(cell, _)| if cell.is_empty() { Missing } else { text(cell) }).collect())
            .collect();
        prop_assert_eq!(found, expected);
        let mut records = 0;
        for origin in origins {
            prop_assert_eq!(origin.first_record, records);
            records += origin.rows;
        }
    }

    /// Every finite double in its shortest form, and every decimal of few digits, is the nearest double.
    #[test]
    fn numbers_read_back(values in prop::collection::vec(any::<f64>().prop_filter("finite", |value| value.is_finite()), 1..50), unit in 1usize..300) {
        let content: String = values.iter().map(|value| format!("{value:e},{value}\n")).collect();
        let (_folder, path) = file("x.csv", format!("x,y\n{content}"));
        let data = Dataset::in_units(&Inputs::find(&[path.display().to_string()]).unwrap(), &options(), unit).unwrap();
        let (found, _) = records_of(&data, &[0, 1]).unwrap();
        let expected: Vec<Vec<Cell>> = values.iter().map(|&value| vec![Number(value), Number(value)]).collect();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn the_number_of_records_is_estimated_from_the_beginning() {
    let (_folder, path) = file("short.csv", "a,b\n1,2\n3,4\n5,6");
    assert_eq!(open(&path).unwrap().rows_hint(), Some(3));
    let (_folder, path) = file("short.ndjson", "{\"a\": 1}\n{\"a\": 2}\n");
    assert_eq!(open(&path).unwrap().rows_hint(), Some(2));
    // Longer than what the columns are told from.
    let rows = 500_000;
    let content: String = (0..rows).map(|i| format!("{},{}\n", i % 7, 100_000 + i)).collect();
    let (_folder, path) = file("long.csv", format!("a,b\n{content}"));
    let hint = open(&path).unwrap().rows_hint().unwrap();
    assert!(hint.abs_diff(rows) * 100 < rows, "{hint}");
}
