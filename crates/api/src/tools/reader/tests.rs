use super::*;
use crate::tools::Function;

/// What a client has of `text` that comes in pieces of `step` characters: the content, and name and arguments of each call.
fn told(format: Format, most: usize, text: &str, step: usize) -> (String, Vec<(String, String)>) {
    let functions =
        ["f", "g"].map(|n| Function { name: n.into(), parameters: Default::default(), is_strict: false });
    let functions = functions.into();
    let tools = Tools { format, functions, most, is_forced: false, marks: Vec::new() };
    let mut reader = Reader::new(Arc::new(tools));
    let (mut content, mut calls) = (String::new(), Vec::new());
    let characters: Vec<char> = text.chars().collect();
    for piece in characters.chunks(step) {
        let (text, pieces) = reader.push(&piece.iter().collect::<String>());
        content += &text;
        for piece in pieces {
            match piece {
                CallPiece::Begin { name, .. } => calls.push((name, String::new())),
                CallPiece::Arguments(more) => calls.last_mut().unwrap().1 += &more,
            }
        }
    }
    content += &reader.finish();
    assert_eq!(reader.has_calls(), !calls.is_empty());
    (content, calls)
}

fn calls(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(n, a)| (n.to_string(), a.to_string())).collect()
}

#[test]
fn tagged_calls_and_text_come_apart_whatever_pieces_they_come_in() {
    let f = "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": \"ü<\"}}\n</tool_call>";
    let g = "<tool_call>{\"name\": \"g\"}</tool_call>";
    for step in 1..60 {
        let of = |text: &str| told(Format::Tagged, usize::MAX, text, step);
        let both = calls(&[("f", "{\"a\": \"ü<\"}"), ("g", "{}")]);
        assert_eq!(of(&format!("Well.\n\n{f}\n{g}\n")), ("Well.".into(), both.clone()));
        assert_eq!(of(&format!("{f} and {g}")), (" and".into(), both));
        assert_eq!(of("1 < 2 <tool"), ("1 < 2 <tool".into(), vec![]));
        // Not a call, a function that nobody named, and one that is cut off before its name.
        for plain in
            ["<tool_call>no</tool_call> x", "<tool_call>{\"name\": \"h\"}</tool_call>", "a <tool_call>{\"na"]
        {
            assert_eq!(of(plain), (plain.into(), vec![]));
        }
        // Cut off behind it, and broken behind it.
        assert_eq!(of("<tool_call>{\"name\": \"f\", \"arguments\": {\"a").1, calls(&[("f", "{\"a")]));
        assert_eq!(of("<tool_call>{\"name\": \"f\" 3").1, calls(&[("f", "")]));
        let one = told(Format::Tagged, 1, &format!("{f}{g} text"), step);
        assert_eq!(one, (String::new(), calls(&[("f", "{\"a\": \"ü<\"}")])));
    }
}

/// As the published templates of DeepSeek V3 and V3.1 and of Mistral's models write them, and Phi-4-mini.
#[test]
fn calls_between_marks_come_apart_whatever_pieces_they_come_in() {
    let wrap = |calls: &str| format!("<｜tool▁calls▁begin｜>{calls}<｜tool▁calls▁end｜>");
    let v3 = |name: &str, arguments: &str| {
        format!(
            "<｜tool▁call▁begin｜>function<｜tool▁sep｜>{name}\n```json\n{arguments}\n```<｜tool▁call▁end｜>"
        )
    };
    let v31 = |name: &str, arguments: &str| {
        format!("<｜tool▁call▁begin｜>{name}<｜tool▁sep｜>{arguments}<｜tool▁call▁end｜>")
    };
    let object =
        |name: &str, arguments: &str| format!("{{\"name\": \"{name}\", \"arguments\": {arguments}}}");
    let (a, b) = ("{\"a\": \"ü```\"}", "{}");
    for step in 1..60 {
        for (format, text) in [
            (Format::Fenced, wrap(&format!("{}\n{}", v3("f", a), v3("g", b)))),
            (Format::Separated, wrap(&(v31("f", a) + &v31("g", b)))),
            (Format::Listed, format!("[TOOL_CALLS] [{}, {}]", object("f", a), object("g", b))),
            (Format::Listed, format!("[TOOL_CALLS][{},{}]", object("f", a), object("g", b))),
            (
                Format::Enclosed,
                format!("<|tool_call|>[{}, {}]<|/tool_call|>", object("f", a), object("g", b)),
            ),
            // As llama.cpp's template for Phi-4-mini asks for them.
            (
                Format::Enclosed,
                format!("<|tool_call|>{}<|/tool_call|><|tool_call|>{}", object("f", a), object("g", b)),
            ),
            (Format::Prefixed, format!("functools[{}, {}]", object("f", a), object("g", b))),
            (Format::Marked, format!("[TOOL_CALLS]f[ARGS]{a}[TOOL_CALLS]g[ARGS]{b}")),
        ] {
            let both = calls(&[("f", a), ("g", b)]);
            let said = told(format, usize::MAX, &format!("Well.\n\n{text}"), step);
            assert_eq!(said, ("Well.".into(), both), "{text} by {step}");
            let one = told(format, 1, &text, step);
            assert_eq!(one, (String::new(), calls(&[("f", a)])), "{text} by {step}");
            // A function that nobody named is text.
            let other = ["g<", "g\n", "g\"", "g["]
                .into_iter()
                .fold(text, |text, g| text.replace(g, &g.replace('g', "h")));
            let said = told(format, usize::MAX, &other, step);
            assert_eq!(said.1, calls(&[("f", a)]), "{other} by {step}");
        }
        for (format, plain) in [
            (Format::Fenced, "1 <｜tool"),
            (Format::Listed, "see [TOOL_CALLS] above"),
            (Format::Marked, "[TOOL_CALLS]h[ARGS]{}"),
            (Format::Enclosed, "<|tool_call|>[{\"name\": \"h\"}]<|/tool_call|>"),
            (Format::Prefixed, "use functools.cache"),
        ] {
            assert_eq!(told(format, usize::MAX, plain, step), (plain.into(), vec![]));
        }
    }
}

/// As the published template of Qwen3-Coder writes them.
#[test]
fn calls_as_elements_come_apart_whatever_pieces_they_come_in() {
    let f = "<function=f>\n<parameter=a>\n1 < 2\nü\n</parameter>\n</function>";
    let g = "<function=g>\n</function>";
    let both = calls(&[("f", "{\"a\": \"1 < 2\\nü\"}"), ("g", "{}")]);
    for step in 1..60 {
        let of = |text: &str| told(Format::Elements, usize::MAX, text, step);
        let tagged = |call: &str| format!("<tool_call>\n{call}\n</tool_call>");
        let text = format!("Well.\n\n{}\n{}\n", tagged(f), tagged(g));
        assert_eq!(of(&text), ("Well.".into(), both.clone()));
        // Outer tags that are forgotten, as models do.
        assert_eq!(of(&format!("Well.\n{f}\n{g}")), ("Well.".into(), both.clone()));
        assert_eq!(of(&format!("{f}</tool_call>{}", tagged(g))), (String::new(), both.clone()));
        assert_eq!(of(&format!("{} and {g}", tagged(f))), (" and".into(), both.clone()));
        for plain in [
            "<tool_call> no",
            "a <function=h> b",
            "<tool_call>\n<function=h>\n</function>\n</tool_call>",
            "1 <fun",
        ] {
            assert_eq!(of(plain), (plain.into(), vec![]), "by {step}");
        }
        assert_eq!(of("<tool_call><function=f><parameter=a>\nlo").1, calls(&[("f", "{\"a\": \"lo")]));
        let one = told(Format::Elements, 1, &text, step);
        assert_eq!(one, ("Well.".into(), both[..1].to_vec()));
    }
}

#[test]
fn bare_calls_are_the_whole_answer() {
    let f = "{\"name\": \"f\", \"parameters\": {\"a\": 1}}";
    for step in 1..50 {
        let of = |text: &str| told(Format::Bare, usize::MAX, text, step);
        assert_eq!(of(&format!("\n{f}; {f}")).1, calls(&[("f", "{\"a\": 1}"), ("f", "{\"a\": 1}")]));
        assert_eq!(of(&format!("Text {f}")), (format!("Text {f}"), vec![]));
        assert_eq!(of("{\"a\": 1}"), ("{\"a\": 1}".into(), vec![]));
        assert_eq!(of("{\"name\": \"h\"} x"), ("{\"name\": \"h\"} x".into(), vec![]));
    }
}

/// Whatever a model writes, right or wrong.
#[test]
fn no_text_depends_on_the_pieces_it_comes_in() {
    let formats = [
        Format::Tagged,
        Format::Bare,
        Format::Elements,
        Format::Listed,
        Format::Enclosed,
        Format::Prefixed,
        Format::Marked,
        Format::Fenced,
        Format::Separated,
    ];
    let common = [
        " ",
        "\n",
        "ü",
        "{",
        "}",
        "]",
        ",",
        "\"",
        "<",
        "f",
        "{\"name\": \"f\", \"arguments\": {\"a\": 1}}",
        "{\"a\": \"b\"}",
    ];
    let of_elements =
        ["<function=f>", "<function=h>", "</function>", "<parameter=a>\n", "\n</parameter>", "</parameter>"];
    let mut seed = 1u64;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (seed >> 33) as usize % below
    };
    for format in formats {
        let written = format.written();
        let own =
            [format.opens(), format.closes(), format.marks(), &[written.open, written.middle, written.close]]
                .concat();
        let elements = if format == Format::Elements { &of_elements[..] } else { &[] };
        let all = [&common[..], &own, elements].concat();
        for _ in 0..3000 {
            let text: String = (0..random(14)).map(|_| all[random(all.len())]).collect();
            let most = [1, usize::MAX][random(2)];
            let whole = told(format, most, &text, usize::MAX);
            for step in [1, 2, 3, 7, 20] {
                assert_eq!(told(format, most, &text, step), whole, "{format:?}: {text:?} by {step}");
            }
            assert!(
                whole.1.len() <= most && whole.1.iter().all(|call| ["f", "g"].contains(&call.0.as_str()))
            );
        }
    }
}
