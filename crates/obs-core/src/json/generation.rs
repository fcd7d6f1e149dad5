//! Calls of models field by field, since most spans that are written are such.

use serde_json::Error;

use super::line::{Put, fields, named, unless};
use super::{compact, float};
use crate::{LlmGeneration, ModelParameters, SpanType, Usage};

impl Put for SpanType {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let Self::LlmGeneration(call) = self else { return compact::write(out, self) };
        out.extend_from_slice(named!("{" "llm_generation"));
        call.put(out)?;
        out.push(b'}');
        Ok(())
    }
}

/// An object of which every field may be absent.
fn object(out: &mut Vec<u8>, fields: impl FnOnce(&mut Vec<u8>) -> Result<(), Error>) -> Result<(), Error> {
    let start = out.len();
    fields(out)?;
    match out.get_mut(start) {
        // Its first field came with a comma.
        Some(comma) => *comma = b'{',
        None => out.push(b'{'),
    }
    out.push(b'}');
    Ok(())
}

impl Put for LlmGeneration {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let Self {
            model,
            provider,
            response_model,
            response_id,
            parameters,
            tools,
            result_type,
            usage,
            cost,
            finish_reason,
            streaming,
            time_to_first_token,
            prompt,
        } = self;
        object(out, |out| {
            fields!(out,
                "model" ? model,
                "provider" ? provider,
                "response_model" ? response_model,
                "response_id" ? response_id,
                "parameters" ? unless(parameters.is_empty(), parameters),
                "tools" ? tools,
                "result_type" ~? result_type,
                "usage" ? unless(usage.is_empty(), usage),
                "cost" ~? cost,
                "finish_reason" ? finish_reason,
                "streaming" ~? streaming,
                "time_to_first_token" ? time_to_first_token.map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)),
                "prompt" ~? prompt,
            );
            Ok(())
        })
    }
}

impl Put for ModelParameters {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let Self { temperature, top_p, max_tokens, other } = self;
        object(out, |out| {
            fields!(out,
                "temperature" ? temperature,
                "top_p" ? top_p,
                "max_tokens" ? max_tokens,
                "other" ~? unless(other.is_empty(), other),
            );
            Ok(())
        })
    }
}

impl Put for Usage {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let Self { input, output, input_details, output_details } = self;
        object(out, |out| {
            fields!(out,
                "input" ? input,
                "output" ? output,
                "input_details" ~? unless(input_details.is_zero(), input_details),
                "output_details" ~? unless(output_details.is_zero(), output_details),
            );
            Ok(())
        })
    }
}

impl Put for f64 {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        match float::name(*self) {
            Some(name) => compact::write(out, name),
            None => compact::write(out, self),
        }
    }
}
