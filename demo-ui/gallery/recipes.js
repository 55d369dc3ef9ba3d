/** Names of recipes and of results. */

import { optional, t } from "../js/messages.js";
import { extensionOf, stemOf } from "./names.js";

/** Returns the name of a recipe in the visitor's language; an operator's preset has its own. */
export function labelOf({ name, label }) {
  const words = name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").replaceAll(/[-_]/g, " ");
  return label || optional(`recipe.${name}`, words.charAt(0).toUpperCase() + words.slice(1));
}

/** Returns the name of a result: of its recipe, or that it was fine-tuned. */
export const resultName = ({ recipe }, recipes) =>
  recipe ? labelOf(recipes.find(({ name }) => name === recipe) ?? { name: recipe }) : t("recipes.own");

/** Returns the name of the file of a picture or a result, without its extension. */
export const fileStem = (picture, result, recipes) => stemOf(picture.name) + (result ? ` – ${resultName(result, recipes)}` : "");

export const fileName = (picture, result, type, recipes) => fileStem(picture, result, recipes) + extensionOf(type);

/** Returns whether a recipe changes the file alone, not the picture: then its bytes can be compared. */
export const isOutputOnly = ({ features }) => Array.isArray(features) && !features.length;
