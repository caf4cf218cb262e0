{
    "name": "Bare counterparts that ./dev bench compares Mango Office with",
    "version": "19.0.1.0.0",
    "category": "Hidden/Tests",
    "author": "Mango Office for Odoo contributors",
    "license": "LGPL-3",
    "depends": ["mango_office"],
    "data": ["security/ir.model.access.csv"],
}
