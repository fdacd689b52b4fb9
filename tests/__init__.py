"""The tests, by kind: unit, property, contract, simulation, integration and chaos."""
