/** Applies the visitor's colour scheme before anything else is loaded. */

const name = localStorage.getItem("theme");
if (name) document.documentElement.dataset.theme = name;
