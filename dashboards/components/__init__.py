"""The participants' pages in the browser: html, css and js beside their Python."""
