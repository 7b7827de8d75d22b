// Shows the server's OpenAPI document: operations by resource, then all schemas.

const SCHEMAS = "#/components/schemas/";
const LONGEST = 200_000;

/** An element with attributes and children; texts stay texts. */
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((each) => each !== null && each !== ""));
  return element;
}

/** A schema in a few words, in which names lead to where they are described. */
function shortly(schema) {
  if (schema === undefined || schema === true) return ["anything"];
  if (schema.$ref?.startsWith(SCHEMAS)) {
    const name = schema.$ref.slice(SCHEMAS.length);
    return [make("a", { href: `#schema-${name}` }, name)];
  }
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.flatMap((each, index) => [...(index ? [" | "] : []), ...shortly(each)]);
  if ("const" in schema) return [JSON.stringify(schema.const)];
  if (schema.enum) return [schema.enum.map((each) => JSON.stringify(each)).join(" | ")];
  if (schema.type === "array") return ["list of ", ...shortly(schema.items ?? true)];
  if (schema.type === "object" && schema.additionalProperties) {
    return ["map of ", ...shortly(schema.additionalProperties)];
  }
  return [[schema.type ?? "anything", schema.format && `(${schema.format})`].filter(Boolean).join(" ")];
}

/** What a value has to keep to, and its default. */
function limits(schema) {
  const said = [];
  const names = {
    minimum: "at least", exclusiveMinimum: "more than", maximum: "at most", exclusiveMaximum: "less than",
    minLength: "characters, at least", maxLength: "characters, at most", minItems: "members, at least",
    maxItems: "members, at most", pattern: "like",
  };
  for (const part of [schema, ...(schema.anyOf ?? [])]) {
    for (const [key, words] of Object.entries(names)) if (key in part) said.push(`${words} ${part[key]}`);
  }
  if ("default" in schema) said.push(`default ${JSON.stringify(schema.default)}`);
  return said.join("; ");
}

function table(titles, rows) {
  const head = make("tr", null, ...titles.map((each) => make("th", { scope: "col" }, each)));
  const body = rows.map((row) => make("tr", null, ...row.map((cell) => make("td", null, ...[cell].flat()))));
  return make("table", null, make("thead", null, head), make("tbody", null, ...body));
}

/** The fields of an object, or what else a schema is. */
function fields(schema) {
  if (!schema.properties) return make("p", null, ...shortly(schema));
  const required = new Set(schema.required ?? []);
  const rows = Object.entries(schema.properties).map(([name, each]) => [
    make("code", null, name + (required.has(name) ? "" : "?")),
    shortly(each),
    [each.description ?? "", limits(each)].filter(Boolean).join(" "),
  ]);
  return table(["field", "type", "notes"], rows);
}

function content(part) {
  return Object.entries(part ?? {}).map(([type, each]) => {
    const shown = type === "application/json" ? shortly(each.schema) : [make("code", null, type)];
    return make("div", null, ...shown);
  });
}

function answers(operation, document) {
  const rows = Object.entries(operation.responses).map(([status, given]) => {
    const answer = given.$ref ? document.components.responses[given.$ref.split("/").at(-1)] : given;
    return [make("code", null, status), content(answer.content), answer.description];
  });
  return table(["status", "answer", "notes"], rows);
}

/** Inputs for the parameters of an operation, and what the server says to them. */
function trial(prefix, path, parameters) {
  const output = make("div", { "aria-live": "polite" });
  const inputs = parameters.map((each) => {
    const input = make("input", { name: each.name, required: each.required, autocomplete: "off", size: "14" });
    return [each, input, make("label", null, each.name, " ", input)];
  });
  const form = make("form", { class: "try" }, ...inputs.map(([, , label]) => label), make("button", null, "Ask"), output);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    let filled = path;
    const query = new URLSearchParams();
    for (const [each, { value }] of inputs) {
      if (each.in === "path") filled = filled.replace(`{${each.name}}`, encodeURIComponent(value));
      else if (value !== "" && each.schema.type === "array") value.split(",").forEach((one) => query.append(each.name, one.trim()));
      else if (value !== "") query.append(each.name, value);
    }
    const url = prefix + filled + (query.size ? `?${query}` : "");
    output.replaceChildren(make("p", null, "asking …"));
    try {
      output.replaceChildren(...(await told(url)));
    } catch (error) {
      output.replaceChildren(make("p", { role: "alert" }, `no answer: ${error.message}`));
    }
  });
  return form;
}

async function told(url) {
  const response = await fetch(url);
  const type = response.headers.get("Content-Type") ?? "";
  const line = make("p", null, make("code", null, `${response.status} ${type} ${url}`));
  if (type.startsWith("image/")) {
    const source = URL.createObjectURL(await response.blob());
    return [line, make("img", { src: source, alt: `The picture at ${url}` })];
  }
  const text = await response.text();
  const shown = type.startsWith("application/json") ? JSON.stringify(JSON.parse(text), null, 2) : text;
  return [line, make("pre", { tabindex: "0" }, shown.slice(0, LONGEST) + (shown.length > LONGEST ? "\n…" : ""))];
}

function operation(document, path, method, described) {
  const parameters = described.parameters ?? [];
  const inside = make("div", null, make("p", { class: "text" }, described.description ?? ""));
  if (parameters.length) {
    const rows = parameters.map((each) => [
      make("code", null, each.name + (each.required ? "" : "?")), each.in, shortly(each.schema), limits(each.schema),
    ]);
    inside.append(make("h3", null, "Parameters"), table(["name", "in", "type", "notes"], rows));
  }
  if (described.requestBody) {
    inside.append(make("h3", null, "Body"), ...content(described.requestBody.content));
  }
  inside.append(make("h3", null, "Answers"), answers(described, document));
  if (method === "get" && !described.responses["101"]) {
    inside.append(make("h3", null, "Try it"), trial(document.servers[0].url, path, parameters));
  }
  const summary = make(
    "summary",
    null,
    make("span", { class: `method ${method}` }, method.toUpperCase()),
    make("span", { class: "path" }, path),
    make("span", { class: "said" }, described.summary),
  );
  const words = [method, path, described.summary, described.description ?? ""].join(" ").toLowerCase();
  return make("details", { id: described.operationId, "data-words": words }, summary, inside);
}

function show(document_) {
  const groups = new Map(document_.tags.map((each) => [each.name, []]));
  for (const [path, methods] of Object.entries(document_.paths)) {
    for (const [method, described] of Object.entries(methods)) {
      groups.get(described.tags[0]).push(operation(document_, path, method, described));
    }
  }
  const schemas = Object.entries(document_.components.schemas).map(([name, schema]) =>
    make(
      "details",
      { id: `schema-${name}`, "data-words": name.toLowerCase() },
      make("summary", null, make("span", { class: "path" }, name)),
      make("div", null, make("p", { class: "text" }, schema.description ?? ""), fields(schema)),
    ),
  );
  groups.set("schemas", schemas);
  const sections = [...groups].map(([name, members]) =>
    make("section", { "aria-labelledby": `of-${name}` }, make("h2", { id: `of-${name}` }, name), ...members),
  );
  const contents = [...groups.keys()].map((name) => make("a", { href: `#of-${name}` }, name));
  document.getElementById("contents").replaceChildren(...contents);
  const operations = document.getElementById("operations");
  operations.replaceChildren(...sections);
  operations.removeAttribute("aria-busy");
}

const search = document.getElementById("search");

/** Open what the address names. */
function openNamed() {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (named instanceof HTMLDetailsElement) named.open = true;
  named?.scrollIntoView();
}

/** Leave what has all the words that are looked for. */
function find() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const section of document.querySelectorAll("#operations section")) {
    const members = [...section.querySelectorAll("details")];
    for (const each of members) each.hidden = !words.every((word) => each.dataset.words.includes(word));
    section.hidden = members.every((each) => each.hidden);
  }
}

async function load() {
  const response = await fetch("/api/v1/openapi.json");
  document.getElementById("sign-in").hidden = response.status !== 401;
  if (!response.ok) return;
  show(await response.json());
  find();
  openNamed();
}

search.addEventListener("input", find);
document.getElementById("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = JSON.stringify({ token: document.getElementById("token").value });
  const response = await fetch("/api/v1/session", { method: "POST", body });
  document.getElementById("refused").textContent = response.ok ? "" : (await response.json()).error;
  if (response.ok) await load();
});
addEventListener("hashchange", openNamed);
await load();
