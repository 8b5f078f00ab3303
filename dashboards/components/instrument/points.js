// Whole points: SAM's nine, with a study's own pictures or with numbers, and short item lists.
function pointScales(page, place, items) {
  const parts = items.map((item) => {
    const group = scaleGroup(page, { ...item, legend: item.label });
    group.field.classList.add("ip-card");
    place.append(group.field);
    const value = () => (group.number() === null ? null : { [item.id]: group.number() });
    return { id: item.id, words: item.short, startsInTheMiddle: false, isTouched: () => value() !== null, value, focus: group.focus };
  });
  return { parts };
}
