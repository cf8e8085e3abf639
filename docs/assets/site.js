"use strict";
/* What the theme leaves out for people who use a keyboard or a screen reader. */
(function () {
  const search = document.querySelector(".md-search[role=dialog]");
  if (search) search.setAttribute("aria-label", "Search");
  function reachable() {
    document.querySelectorAll(".md-typeset pre > code, .md-typeset table:not([class]), .overview, .md-typeset__scrollwrap").forEach((box) => {
      if (box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1) box.setAttribute("tabindex", "0");
    });
  }
  reachable();
  addEventListener("resize", reachable);
  addEventListener("load", reachable);
})();
