//! Tool calls: the functions that a chat may call, and the way its template lets the model write calls.

mod call;
mod choice;
mod format;
mod function;
mod grammar;
mod parameters;
mod reader;
#[cfg(test)]
mod tests;

use collegium_data::Tokenizer;

pub use format::{Format, PHI};
pub use reader::{CallPiece, Reader};

use crate::wire::ChatRequest;
use crate::{ApiError, Template};
use choice::Choice;
use function::Function;

/// What a chat may call, and whether it must.
#[derive(Clone, Debug, PartialEq)]
pub struct Tools {
    format: Format,
    functions: Vec<Function>,
    /// Most calls of an answer.
    most: usize,
    /// Whether the answer is nothing but calls.
    is_forced: bool,
    /// Words of the format that are single tokens, which texts leave out.
    marks: Vec<(u32, &'static str)>,
}

impl Tools {
    /// Those of a chat; `None` where it has none, or may call none.
    ///
    /// # Errors
    /// Tools or a choice of them that cannot be, or a template that knows none.
    pub fn of(
        chat: &ChatRequest,
        template: &Template,
        tokenizer: &Tokenizer,
    ) -> Result<Option<Self>, ApiError> {
        let mut functions: Vec<Function> = Vec::new();
        for (index, tool) in chat.tools.iter().enumerate() {
            let function = Function::of(tool)
                .map_err(|why| ApiError::field("tools", format!("`tools[{index}]` cannot be used: {why}")))?;
            if functions.iter().any(|f| f.name == function.name) {
                let message = format!("`tools` has two functions {:?}; names must differ", function.name);
                return Err(ApiError::field("tools", message));
            }
            functions.push(function);
        }
        let choice = Choice::of(chat.tool_choice.as_ref(), &functions)?;
        if functions.is_empty() || choice == Choice::None {
            return Ok(None);
        }
        let unknown = |what: &str| {
            ApiError::field("tools", format!("this checkpoint's chat template {what}; leave `tools` out"))
        };
        if !template.mentions("tools") {
            return Err(unknown("knows no tools"));
        }
        let format = Format::find(template).ok_or_else(|| {
            unknown("lets the model write calls in a way that this server does not read (it reads those of Hermes, Qwen, Llama 3, Mistral, DeepSeek and Phi-4)")
        })?;
        let (is_one, is_forced) = match &choice {
            Choice::Named(name) => {
                functions.retain(|f| f.name == *name);
                (true, true)
            }
            choice => (chat.parallel_tool_calls == Some(false), *choice == Choice::Required),
        };
        let is_silent = |id: &u32| tokenizer.decode(&[*id]).is_ok_and(|text| text.is_empty());
        let marks = format.marks().iter();
        let marks =
            marks.filter_map(|&mark| Some((tokenizer.id_of(mark).filter(is_silent)?, mark))).collect();
        let most = if is_one { 1 } else { usize::MAX };
        Ok(Some(Self { format, functions, most, is_forced, marks }))
    }

    /// Whether the answer is nothing but calls.
    pub fn is_forced(&self) -> bool {
        self.is_forced
    }

    /// The word that this token stands for, where texts leave it out.
    pub fn mark(&self, token: u32) -> &'static str {
        self.marks.iter().find(|mark| mark.0 == token).map_or("", |mark| mark.1)
    }

    /// Whether a function has this name.
    fn knows(&self, name: &str) -> bool {
        self.functions.iter().any(|f| f.name == name)
    }
}
