/** The visitor's own recipes: edits with a name, kept in this browser. */

import { $ } from "./dom.js";

const KEPT = "recipes";

export class OwnRecipes {
  /** `query()` returns the present edits as a query, and `changed()` is called when the recipes change. */
  constructor({ query, changed }) {
    this.changed = changed;
    $("save-recipe").addEventListener("click", () => {
      $("recipe-name").value = "";
      $("recipe-query").textContent = query();
      $("naming").showModal();
    });
    $("naming-no").addEventListener("click", () => $("naming").close());
    $("naming-form").addEventListener("submit", (event) => {
      event.preventDefault();
      $("naming").close();
      this.keep([...this.all().filter(({ title }) => title !== $("recipe-name").value), { title: $("recipe-name").value, query: $("recipe-query").textContent }]);
    });
  }

  all() {
    try {
      const kept = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
      return kept.filter(({ title, query }) => typeof title === "string" && typeof query === "string").map((each) => ({ ...each, own: true }));
    } catch {
      return []; // another program's entry
    }
  }

  keep(recipes) {
    localStorage.setItem(KEPT, JSON.stringify(recipes.map(({ title, query }) => ({ title, query }))));
    this.changed();
  }

  remove(recipe) {
    this.keep(this.all().filter(({ title }) => title !== recipe.title));
  }
}
