// How Odoo's own JavaScript looks (web/tooling in Odoo's source).
module.exports = {
    arrowParens: "always",
    bracketSpacing: true,
    printWidth: 100,
    semi: true,
    singleQuote: false,
    tabWidth: 4,
    trailingComma: "es5",
};
