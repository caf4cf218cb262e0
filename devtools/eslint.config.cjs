// The rules of Odoo's own checks (web/tooling and test_lint), which are written for an
// eslint that is no longer maintained.
const js = require("@eslint/js");
const globals = require("globals");

const componentWithout = (name) =>
    "ClassDeclaration[superClass.name='Component']:not(:has(ClassBody.body > " +
    `PropertyDefinition[key.name='${name}'][static='true']))`;

module.exports = [
    js.configs.recommended,
    {
        files: ["**/*.js"],
        languageOptions: {
            ecmaVersion: 2022,
            sourceType: "module",
            globals: { ...globals.browser, luxon: "readonly", odoo: "readonly" },
        },
        linterOptions: { reportUnusedDisableDirectives: "error" },
        rules: {
            "arrow-body-style": ["error", "as-needed"],
            curly: ["error", "all"],
            eqeqeq: ["error", "always"],
            "no-duplicate-imports": "error",
            "no-restricted-globals": ["error", "event", "self"],
            "no-restricted-syntax": [
                "error",
                "PrivateIdentifier",
                {
                    selector: componentWithout("props"),
                    message: "A component declares static props.",
                },
                {
                    selector: componentWithout("template"),
                    message: "A component declares static template.",
                },
                {
                    selector: "CallExpression[callee.name='_t'] > :first-child[value=/(.*%s){2,}/]",
                    message: "Several placeholders of one text have names.",
                },
                {
                    selector:
                        "CallExpression[callee.object.name='notificationService']" +
                        "[callee.property.name='add'] > Literal:first-child",
                    message: "The text of a notification is translated.",
                },
            ],
            "no-unused-vars": ["error", { args: "none", caughtErrors: "all" }],
            "prefer-const": ["error", { destructuring: "all", ignoreReadBeforeAssign: true }],
        },
    },
];
