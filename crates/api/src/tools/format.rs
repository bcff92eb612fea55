//! The ways in which models write calls, as their chat templates have them.

use crate::Template;

/// How a model writes a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `<tool_call>{"name": .., "arguments": ..}</tool_call>` anywhere in a text, as Hermes and Qwen have it.
    Tagged,
    /// `{"name": .., "parameters": ..}` in place of a text, as Llama 3 has it.
    Bare,
    /// `<tool_call><function=name><parameter=key>value</parameter></function></tool_call>` anywhere in a text, values as bare text, as Qwen3-Coder has it.
    Elements,
    /// `[TOOL_CALLS] [{"name": .., "arguments": ..}, ..]`, as Mistral had it first.
    Listed,
    /// `<|tool_call|>[{"name": .., "arguments": ..}, ..]<|/tool_call|>`, as Phi-4-mini has it.
    Enclosed,
    /// `functools[{"name": .., "arguments": ..}, ..]`, as vLLM's template for Phi-4-mini has it.
    Prefixed,
    /// `[TOOL_CALLS]name[ARGS]{..}`, as Mistral has it since.
    Marked,
    /// `<｜tool▁call▁begin｜>function<｜tool▁sep｜>name`, arguments in a fence of code, `<｜tool▁call▁end｜>`, as DeepSeek V3 and R1 have it.
    Fenced,
    /// `<｜tool▁call▁begin｜>name<｜tool▁sep｜>{..}<｜tool▁call▁end｜>`, as DeepSeek V3.1 has it.
    Separated,
}

/// How calls are written, for those that must come.
pub(super) struct Written {
    /// Before all.
    pub begin: &'static str,
    /// Before the name of each.
    pub open: &'static str,
    /// Whether the name is a text of JSON.
    pub is_quoted: bool,
    /// Between name and arguments.
    pub middle: &'static str,
    /// Behind each.
    pub close: &'static str,
    /// Between two.
    pub between: &'static str,
    /// Behind all.
    pub end: &'static str,
}

const HERMES: &str = "<tool_call>";
const MISTRAL: &str = "[TOOL_CALLS]";
const DEEPSEEK: [&str; 5] = [
    "<｜tool▁calls▁begin｜>",
    "<｜tool▁call▁begin｜>",
    "<｜tool▁sep｜>",
    "<｜tool▁call▁end｜>",
    "<｜tool▁calls▁end｜>",
];

/// The marks within a call of Qwen3-Coder.
pub(super) struct Element {
    pub function: &'static str,
    pub function_end: &'static str,
    pub parameter: &'static str,
    pub parameter_end: &'static str,
    pub call_end: &'static str,
}

pub(super) const ELEMENT: Element = Element {
    function: "<function=",
    function_end: "</function>",
    parameter: "<parameter=",
    parameter_end: "</parameter>",
    call_end: "</tool_call>",
};

impl Element {
    /// Those that end a value.
    pub fn ends(&self) -> [&'static str; 4] {
        [self.parameter_end, self.parameter, self.function_end, self.call_end]
    }
}

/// The marks of Phi-4-mini. Its published template has those of functions alone.
pub struct Phi {
    /// Behind the functions in a prompt.
    pub functions_end: &'static str,
    /// Before calls.
    pub call: &'static str,
    /// Behind them.
    pub call_end: &'static str,
}

/// The marks of Phi-4-mini.
pub const PHI: Phi = Phi { functions_end: "<|/tool|>", call: "<|tool_call|>", call_end: "<|/tool_call|>" };

const FUNCTOOLS: &str = "functools[";

impl Format {
    /// The format that the template's text speaks of.
    pub(super) fn find(template: &Template) -> Option<Self> {
        let mentions = |words: &str| template.mentions(words);
        Some(match () {
            () if mentions(PHI.functions_end) => Self::Enclosed,
            () if mentions(FUNCTOOLS) => Self::Prefixed,
            // Granite's have no end.
            () if mentions(PHI.call) => return None,
            () if mentions(HERMES) && mentions(ELEMENT.function) && mentions(ELEMENT.parameter) => {
                Self::Elements
            }
            // Objects, and other tags around them.
            () if mentions(ELEMENT.function) => return None,
            () if mentions(HERMES) => Self::Tagged,
            () if mentions(MISTRAL) && mentions("[ARGS]") => Self::Marked,
            () if mentions(MISTRAL) => Self::Listed,
            () if mentions(DEEPSEEK[1]) && mentions("```json") => Self::Fenced,
            () if mentions(DEEPSEEK[1]) => Self::Separated,
            () if mentions("\"parameters\":") => Self::Bare,
            () => return None,
        })
    }

    /// What tells that calls follow, one or the other.
    pub(super) fn opens(self) -> &'static [&'static str] {
        match self {
            Self::Tagged => &[HERMES],
            Self::Bare => &["{"],
            // Models forget the outer tag.
            Self::Elements => &[HERMES, ELEMENT.function],
            Self::Listed | Self::Marked => &[MISTRAL],
            Self::Enclosed => &[PHI.call],
            Self::Prefixed => &[FUNCTOOLS],
            Self::Fenced | Self::Separated => &[DEEPSEEK[0]],
        }
    }

    /// What tells for certain that a call follows.
    pub(super) fn last_opens(self) -> &'static str {
        self.opens().last().expect("there is one")
    }

    /// Whether a word that tells of a call is a part of it.
    pub(super) fn is_of_call(self, word: &str) -> bool {
        match self {
            Self::Elements => word == ELEMENT.function,
            Self::Fenced | Self::Separated => word == DEEPSEEK[1],
            _ => false,
        }
    }

    /// What may stand behind a call that is read, and says nothing.
    pub(super) fn closes(self) -> &'static [&'static str] {
        match self {
            Self::Tagged | Self::Elements => &[ELEMENT.call_end],
            Self::Bare | Self::Marked => &[],
            Self::Listed | Self::Prefixed => &["]"],
            Self::Enclosed => &["]", PHI.call_end],
            Self::Fenced | Self::Separated => &["```", DEEPSEEK[3], DEEPSEEK[4]],
        }
    }

    /// What tells behind a call that another follows, where that is not what [`opens`](Self::opens) the first.
    pub(super) fn again(self) -> Option<&'static str> {
        match self {
            _ if self.is_list() => Some(","),
            Self::Fenced | Self::Separated => Some(DEEPSEEK[1]),
            _ => None,
        }
    }

    /// Whether calls stand in a list, objects of JSON with their names.
    pub(super) fn is_list(self) -> bool {
        matches!(self, Self::Listed | Self::Enclosed | Self::Prefixed)
    }

    /// Whether the name stands before an object that holds the arguments alone.
    pub(super) fn has_head(self) -> bool {
        matches!(self, Self::Marked | Self::Fenced | Self::Separated)
    }

    /// The name in what stands before the arguments.
    pub(super) fn name_in(self, head: &str) -> Option<&str> {
        let name = match self {
            // Further marks may stand behind it.
            Self::Marked => head.split('[').next()?.trim(),
            _ => {
                let (first, second) = head.trim_start().strip_prefix(DEEPSEEK[1])?.split_once(DEEPSEEK[2])?;
                let second = second.trim_end().trim_end_matches("```json").trim();
                if second.is_empty() { first.trim() } else { second }
            }
        };
        (!name.is_empty()).then_some(name)
    }

    /// The words that are tokens of their own in the tokenizers of such models, maybe such as texts leave out.
    pub(super) fn marks(self) -> &'static [&'static str] {
        match self {
            Self::Tagged | Self::Elements => &[HERMES, ELEMENT.call_end],
            Self::Bare | Self::Prefixed => &[],
            Self::Enclosed => &[PHI.call, PHI.call_end],
            Self::Listed => &[MISTRAL],
            Self::Marked => &[MISTRAL, "[CALL_ID]", "[ARGS]"],
            Self::Fenced | Self::Separated => &DEEPSEEK,
        }
    }

    /// How calls are written that must come.
    pub(super) fn written(self) -> Written {
        let object = Written {
            begin: "",
            open: "{\"name\": ",
            is_quoted: true,
            middle: ", \"arguments\": ",
            close: "}",
            between: ", ",
            end: "",
        };
        match self {
            Self::Tagged => Written {
                open: "<tool_call>\n{\"name\": ",
                close: "}\n</tool_call>",
                between: "\n",
                ..object
            },
            Self::Bare => Written { middle: ", \"parameters\": ", between: "; ", ..object },
            Self::Elements => Written {
                open: "<tool_call>\n<function=",
                is_quoted: false,
                middle: ">\n",
                close: "</function>\n</tool_call>",
                between: "\n",
                ..object
            },
            Self::Listed => Written { begin: "[TOOL_CALLS][", end: "]", ..object },
            Self::Enclosed => Written { begin: "<|tool_call|>[", end: "]<|/tool_call|>", ..object },
            Self::Prefixed => Written { begin: FUNCTOOLS, end: "]", ..object },
            Self::Marked => Written {
                open: MISTRAL,
                is_quoted: false,
                middle: "[ARGS]",
                close: "",
                between: "",
                ..object
            },
            Self::Fenced => Written {
                begin: DEEPSEEK[0],
                open: "<｜tool▁call▁begin｜>function<｜tool▁sep｜>",
                is_quoted: false,
                middle: "\n```json\n",
                close: "\n```<｜tool▁call▁end｜>",
                between: "\n",
                end: DEEPSEEK[4],
            },
            Self::Separated => Written {
                begin: DEEPSEEK[0],
                open: DEEPSEEK[1],
                is_quoted: false,
                middle: DEEPSEEK[2],
                close: DEEPSEEK[3],
                between: "",
                end: DEEPSEEK[4],
            },
        }
    }
}
