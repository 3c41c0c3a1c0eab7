/** The day, so many days from the last Sunday of the next year's March, on which clocks in Europe are set forward: `2027-03-28`. */
export function dayOfSummerTime(plus: number): string {
  const day = new Date(Date.UTC(new Date().getUTCFullYear() + 1, 2, 31));
  day.setUTCDate(31 - day.getUTCDay() + plus);
  return day.toISOString().slice(0, 10);
}
