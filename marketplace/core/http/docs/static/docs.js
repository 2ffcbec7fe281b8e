"use strict";
// Every operation of /openapi.json, with a search of our own: the reader's looks at tags and paths only.

// What a search looks at: the method, the path, the name (whole, and in its words), the summary and the description.
function textOf(tagged, tag) {
  const operation = tagged.get("operation");
  const name = operation.get("operationId") || "";
  const words = name.replace(/([A-Z0-9]+)/g, " $1");
  const parts = [tag, tagged.get("method"), tagged.get("path"), name, words, operation.get("summary"), operation.get("description")];
  return parts.filter(Boolean).join(" ").toLowerCase();
}

// Operations that have every word somewhere, under their tags; tags without any are left out.
function opsFilter(taggedOps, phrase) {
  const wanted = phrase.toLowerCase().split(/\s+/).filter(Boolean);
  const has = (tagged, tag) => {
    const text = textOf(tagged, tag);
    return wanted.every((word) => text.includes(word));
  };
  return taggedOps
    .map((group, tag) => group.set("operations", group.get("operations").filter((tagged) => has(tagged, tag))))
    .filter((group) => group.get("operations").size > 0);
}

const TITLES = {
  optional: "Works without a token; a token may show more",
  required: "Needs a token: press Authorize",
};

function accessOf(security) {
  if (!security || security.size === 0) return "open";
  return security.some((way) => way.size === 0) ? "optional" : "required";
}

function OurPlugin() {
  return {
    fn: { opsFilter },
    statePlugins: {
      auth: {
        wrapSelectors: {
          // "Or nothing" is no sign-in: such an operation has an open lock until there is a token.
          isAuthorized: (original) => (state, security) =>
            original(security && security.filter ? security.filter((way) => way.size > 0) : security),
        },
      },
    },
    wrapComponents: {
      FilterContainer: () => () => null, // ours stands in the header
      OperationSummary: (Original, system) => (props) => {
        const access = accessOf(props.operationProps.get("security"));
        const summary = system.React.createElement(Original, props);
        return system.React.createElement("div", { className: `access-${access}`, title: TITLES[access] }, summary);
      },
    },
  };
}

window.addEventListener("DOMContentLoaded", () => {
  const box = document.getElementById("search");
  const found = document.getElementById("found");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  paint();
  dark.addEventListener("change", paint);

  const reader = SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#swagger-ui",
    presets: [SwaggerUIBundle.presets.apis],
    plugins: [OurPlugin],
    layout: "BaseLayout",
    deepLinking: true,
    filter: true,
    persistAuthorization: true,
    displayOperationId: true,
    displayRequestDuration: true,
    defaultModelsExpandDepth: 0,
    validatorUrl: null,
    onComplete: () => search(),
  });

  function search() {
    const phrase = box.value.trim();
    reader.layoutActions.updateFilter(phrase || true);
    const groups = reader.specSelectors.taggedOperations();
    const count = groups.reduce((sum, group) => sum + group.get("operations").size, 0);
    found.textContent = phrase ? `${count || "no"} ${count === 1 ? "operation" : "operations"}` : "";
  }

  let waiting;
  box.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(search, 150);
  });
  document.getElementById("search-form").addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
    event.preventDefault();
    box.focus();
  });
  window.ui = reader;
});
