// What must hold between variables. A propagator keeps nothing between its runs, so that copies of a space share it; it
// takes values away that can't be in an answer, and gives false if none can be.

/** The sum of coefficient times variable is at most `constant`. */
export class AtMost {
  constructor(coefficients, variables, constant) {
    this.coefficients = coefficients;
    this.variables = variables;
    this.constant = constant;
  }

  run(space) {
    const { coefficients, variables } = this;
    const least = (index) =>
      coefficients[index] *
      (coefficients[index] > 0 ? space.min(variables[index]) : space.max(variables[index]));
    let slack = this.constant;
    for (let index = 0; index < variables.length; index += 1) slack -= least(index);
    if (slack < 0) return false;
    for (let index = 0; index < variables.length; index += 1) {
      const coefficient = coefficients[index];
      if (coefficient === 0) continue;
      const bound = (slack + least(index)) / coefficient;
      const possible =
        coefficient > 0
          ? space.atMost(variables[index], Math.floor(bound))
          : space.atLeast(variables[index], Math.ceil(bound));
      if (!possible) return false;
    }
    return true;
  }
}

/** The sum of coefficient times variable is anything but `constant`. */
export class NotEqual {
  constructor(coefficients, variables, constant) {
    this.coefficients = coefficients;
    this.variables = variables;
    this.constant = constant;
  }

  run(space) {
    let open;
    let rest = this.constant;
    for (const [index, variable] of this.variables.entries()) {
      if (space.isDetermined(variable)) rest -= this.coefficients[index] * space.min(variable);
      else if (open === undefined) open = index;
      else return true;
    }
    if (open === undefined) return rest !== 0;
    const value = rest / this.coefficients[open];
    return !Number.isInteger(value) || space.remove(this.variables[open], value);
  }
}

/** Variables with an offset each are all different. */
export class Distinct {
  constructor(variables, offsets) {
    this.variables = variables;
    this.offsets = offsets;
  }

  run(space) {
    const { variables, offsets } = this;
    for (let fixed = 0; fixed < variables.length; fixed += 1) {
      if (!space.isDetermined(variables[fixed])) continue;
      const taken = space.min(variables[fixed]) + offsets[fixed];
      for (let other = 0; other < variables.length; other += 1) {
        if (other !== fixed && !space.remove(variables[other], taken - offsets[other])) return false;
      }
    }
    return true;
  }
}
