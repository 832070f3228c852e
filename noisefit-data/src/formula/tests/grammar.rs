//! How formulas are read and written, and what is said about wrong ones.

use super::*;

#[test]
fn formulas_are_written_with_r_s_spacing() {
    for (text, written) in [
        ("y~x", "y ~ x"),
        (" y ~\n x1 +\tx2 ", "y ~ x1 + x2"),
        ("y~x1*x2-1", "y ~ x1 * x2 - 1"),
        ("y~0+a:b", "y ~ 0 + a:b"),
        ("y~(a+b)^2", "y ~ (a + b)^2"),
        ("y~(a+b)**2", "y ~ (a + b)^2"),
        ("y~a%in%b+a/b", "y ~ a %in% b + a/b"),
        ("log(y+1)~I( x ^2/ 3)", "log(y + 1) ~ I(x^2/3)"),
        ("1/y~-1+x", "1/y ~ -1 + x"),
        ("y~I(-x^2*2)", "y ~ I(-x^2 * 2)"),
        ("y~I(x^-1*2)", "y ~ I(x^-1 * 2)"),
        ("y~poly(x,3,raw=TRUE)+poly(x,2,raw)", "y ~ poly(x, 3, raw) + poly(x, 2, raw)"),
        ("y~C(city,ref=\"Paris\")", "y ~ C(city, ref='Paris')"),
        ("y~C(city, ref=\"l'Isle\")", "y ~ C(city, ref=\"l'Isle\")"),
        ("`my y`~`x1`+`2x`", "`my y` ~ x1 + `2x`"),
        ("~x+z", "~x + z"),
        ("y~I(1e-3*x+.5)", "y ~ I(0.001 * x + 0.5)"),
        ("y~x|firm", "y ~ x | firm"),
        ("~x+z|`the firm`+year", "~x + z | `the firm` + year"),
    ] {
        let formula = Formula::parse(text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(formula.to_string(), written);
        assert_eq!(Formula::parse(written).unwrap().to_string(), written, "written again");
        assert_eq!(formula.has_response(), !text.starts_with('~'));
    }
}

#[test]
fn arithmetic_has_r_s_precedence() {
    let table = Table::default().number("x", &[3.0]);
    let frame = table.frame(&["x"]);
    // Values worked out by hand, at x = 3.
    for (text, value) in [
        ("-x^2", -9.0),
        ("2^-1*x", 1.5),
        ("2^3^2", 512.0),
        ("1-x-2", -4.0),
        ("12/x/2", 2.0),
        ("1+x*2", 7.0),
        ("(1+x)*2", 8.0),
        ("-x+1", -2.0),
        ("2*-x", -6.0),
        ("+x", 3.0),
        ("x^-2*9", 1.0),
        ("(x-4)^3", -1.0),
        ("sqrt(x*3)", 3.0),
        ("abs(1-x)^0.5", std::f64::consts::SQRT_2),
        ("log2(x+5)", 3.0),
        ("log10(x+97)", 2.0),
        ("exp(log(x)*0)", 1.0),
        ("I(x)-5", -2.0),
        ("4.5e1/x", 15.0),
    ] {
        let found = Expression::parse(text).unwrap().evaluate(&table.fields, &frame).unwrap();
        assert!((found[0] - value).abs() <= 1e-15 * value.abs(), "{text}: {} instead of {value}", found[0]);
    }
}

/// Formula, carets and the beginning of the message.
fn assert_refused(table: &Table, lines: &str) {
    let mut lines = lines.trim_matches('\n').lines().map(|line| line.strip_prefix("        ").unwrap_or(line));
    let (formula, carets, message) = (lines.next().unwrap(), lines.next().unwrap(), lines.next().unwrap());
    let shown = table.failure(formula);
    let mut found = shown.lines();
    assert_eq!(found.next(), Some(formula));
    assert_eq!(found.next(), Some(carets), "carets of {formula}: {shown}");
    let found = found.next().unwrap();
    assert!(found.starts_with(message), "{formula}: {found}");
}

#[test]
fn wrong_formulas_point_at_the_place() {
    let table = Table::default()
        .number("y", &[1.0, 2.0, 3.0, 4.0])
        .number("x1", &[1.0, 2.0, 3.0, 5.0])
        .number("x2", &[1.0, 1.0, 2.0, 2.0])
        .number("one", &[7.0, 7.0, 7.0, 7.0])
        .text("city", &["Rome", "Paris", "Rome", "Oslo"])
        .text("same", &["a", "a", "a", "a"])
        .category("flag", Kind::Boolean, &["true", "false", "true", "true"]);
    for case in [
        "
        y ~ x1 + lgo(x2)
                 ^^^
        unknown function 'lgo'; did you mean 'log'? the functions are log, log1p",
        "
        y ~ x1 + X3
                 ^^
        no column 'X3'; did you mean 'x1'? the columns are y, x1, x2, one, city, same, flag",
        "
        y ~ x1 + temperature
                 ^^^^^^^^^^^
        no column 'temperature'; the columns are y, x1",
        "
        z ~ x1
        ^
        no column 'z'; the columns are y, x1, x2, one, city, same, flag",
        "
        y ~ . - x9
                ^^
        no column 'x9'; did you mean 'x1'?",
        "
        y x1
          ^^
        an operator is missing before this",
        "
        y
         ^
        '~' is missing: write response ~ terms, for example y ~ x1 + x2",
        "
        y ~
           ^
        nothing follows '~'; write the terms there, or 1 for an intercept alone",
        "
        y ~ x1 +
                ^
        the formula breaks off here: an operand is missing",
        "
        y ~ x1 ~ x2
               ^
        a second '~'; a formula has one",
        "
        y ~ log(x1 + x2
               ^
        this '(' is not closed",
        "
        y ~ log (x1
                ^
        this '(' is not closed",
        "
        y ~ (x1 + x2
            ^
        this '(' is not closed",
        "
        y ~ x1)
              ^
        this ')' closes nothing",
        "
        y ~ * x1
            ^
        '*' where an operand was expected",
        "
        y ~ x1 + 'x2
                 ^
        this ' is not closed",
        "
        y ~ `x1
            ^
        this ` is not closed",
        "
        y ~ x1 & x2
               ^
        '&' has no meaning here",
        "
        y ~ I(2x1)
              ^^^
        not a number",
        "
        y ~ log(x1, 2)
            ^^^^^^^^^^
        log is given 2 arguments; write log(x), the natural logarithm",
        "
        y ~ exp()
            ^^^^^
        exp is given 0 arguments; write exp(x)",
        "
        y ~ poly(x1)
            ^^^^^^^^
        poly is given 1 arguments; write poly(x, degree)",
        "
        y ~ poly(x1, 2.5)
                     ^^^
        the degree of a polynomial is a whole number from 1 to 100",
        "
        y ~ poly(x1, 2, rough)
                        ^^^^^
        poly takes a degree and the word raw",
        "
        y ~ x1 + poly(x2, 2)
                 ^^^^^^^^^^^
        poly(x2, 2) needs more than 2 distinct values and there are 2",
        "
        y ~ (x1 + x2)^1.5
                      ^^^
        the power of a term is a whole number from 1 to 64",
        "
        y ~ x1^2
            ^^^^
        in a formula x1^2 is x1 again; for the power of a number write I(x1^2)",
        "
        y ~ x1 + 2
                 ^
        a number other than 0 and 1 is no term",
        "
        y ~ 'x1'
            ^^^^
        a text is no term",
        "
        y ~ 0
            ^
        neither an intercept nor a term is left",
        "
        y ~ x1 + y
                 ^
        the response y cannot be a term as well",
        "
        city ~ x1
        ^^^^
        the response must be numbers, and 'city' holds text; columns of numbers are y, x1, x2, one",
        "
        flag ~ x1
        ^^^^
        the response must be numbers, and 'flag' holds true and false",
        "
        log(y/x1) ~ x2
        ^^^^^^^^^
        a transformed response is a function of one column; this reads 2",
        "
        I(2) ~ x2
        ^^^^
        a transformed response is a function of one column; this reads 0",
        "
        scale(y) ~ x1
        ^^^^^^^^
        scale can only stand in the terms",
        "
        y ~ log(city)
                ^^^^
        'city' holds text, and numbers are needed here",
        "
        y ~ I(x1:x2)
              ^^^^^
        an interaction cannot stand within arithmetic",
        "
        y ~ log(.)
                ^
        '.' stands for columns as terms",
        "
        y ~ I(poly(x1, 2))
              ^^^^^^^^^^^
        poly makes terms; it cannot stand within arithmetic",
        "
        y ~ x2:offset(x1)
            ^^^^^^^^^^^^^
        an offset is a term of its own, which is added with +",
        "
        y ~ x1 > 2
               ^
        a comparison goes inside I(), as in I(x > 3)",
        "
        y ~ bs(x1, df=2)
                      ^
        such a spline has 3 columns or more",
        "
        y ~ C(log(x1))
              ^^^^^^^
        C takes a column's name",
        "
        y ~ C(city, helmert)
                    ^^^^^^^
        C understands ref='level', sum and treatment",
        "
        y ~ C(city, ref='Lyon')
                        ^^^^^^
        'Lyon' is no level of city; its levels are Oslo, Paris, Rome",
        "
        y ~ x1 + same
                 ^^^^
        same has the one level 'a' in the complete rows",
        "
        y ~ scale(one)
            ^^^^^^^^^^
        scale(one) divides by a standard deviation of zero",
    ] {
        assert_refused(&table, case);
    }
}

#[test]
fn carets_stand_under_characters_not_bytes() {
    let error = Formula::parse("größe ~ lgo(x)").unwrap_err();
    assert_eq!(error.to_string().lines().nth(1), Some("        ^^^"));
    assert_eq!(&error.text()[error.place()], "lgo");
    let error = Formula::parse("y ~\n\tlgo(x)").unwrap_err();
    assert!(error.to_string().starts_with("y ~  lgo(x)\n     ^^^\n"));
}

#[test]
fn deep_and_wide_formulas_do_not_overflow() {
    let deep = format!("y ~ {}x{}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(Formula::parse(&deep).unwrap_err().message().contains("nested more than"));
    let signs = format!("y ~ {}x", "-".repeat(100_000));
    assert!(Formula::parse(&signs).unwrap_err().message().contains("nested more than"));
    let products = format!("y ~ I(x{})", "*x".repeat(10_000));
    assert!(Formula::parse(&products).unwrap_err().message().contains("nested more than"));
    let names: Vec<String> = (0..3000).map(|i| format!("x{i}")).collect();
    let fields: Vec<Field> =
        names.iter().chain([&"y".to_owned()]).map(|name| Field::new(name.clone(), Kind::Number)).collect();
    let wide = Formula::parse(&format!("y ~ {}", names.join(" + "))).unwrap();
    assert_eq!(wide.resolve(&fields, None, None).unwrap().into_design().unwrap().layout().terms, names);
    let error = Formula::parse("y ~ .^3").unwrap().resolve(&fields, None, None).unwrap_err();
    assert!(error.message().contains("more than 50000 terms"), "{error}");
}
