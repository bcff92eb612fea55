module @paged_step_int8_keys attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x60xf32>, %arg1: tensor<5x3xf32>, %arg2: tensor<5x3xf32>, %arg3: tensor<2x3xi32>, %arg4: tensor<5xi32>, %arg5: tensor<5xi32>, %arg6: tensor<5xi32>, %arg7: tensor<6xf32>, %arg8: tensor<6xf32>, %arg9: tensor<6x2x6x16xf32>, %arg10: tensor<6x2x16x6xf32>) -> (tensor<6x2x6x16xf32>) {
    %0 = stablehlo.transpose %arg9, dims = [0, 1, 3, 2] : (tensor<6x2x6x16xf32>) -> tensor<6x2x16x6xf32>
    %1 = stablehlo.abs %0 : tensor<6x2x16x6xf32>
    %2 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %3 = stablehlo.reduce(%1 init: %2) applies stablehlo.maximum across dimensions = [3] : (tensor<6x2x16x6xf32>, tensor<f32>) -> tensor<6x2x16xf32>
    %4 = stablehlo.constant dense<127.0> : tensor<f32>
    %5 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<f32>) -> tensor<6x2x16xf32>
    %6 = stablehlo.divide %3, %5 : tensor<6x2x16xf32>
    %7 = stablehlo.constant dense<1.0e-30> : tensor<f32>
    %8 = stablehlo.broadcast_in_dim %7, dims = [] : (tensor<f32>) -> tensor<6x2x16xf32>
    %9 = stablehlo.maximum %6, %8 : tensor<6x2x16xf32>
    %10 = stablehlo.constant dense<1.0> : tensor<f32>
    %11 = stablehlo.broadcast_in_dim %10, dims = [] : (tensor<f32>) -> tensor<6x2x16xf32>
    %12 = stablehlo.divide %11, %9 : tensor<6x2x16xf32>
    %13 = stablehlo.broadcast_in_dim %12, dims = [0, 1, 2] : (tensor<6x2x16xf32>) -> tensor<6x2x16x6xf32>
    %14 = stablehlo.multiply %0, %13 : tensor<6x2x16x6xf32>
    %15 = stablehlo.constant dense<0.5> : tensor<f32>
    %16 = stablehlo.broadcast_in_dim %15, dims = [] : (tensor<f32>) -> tensor<6x2x16x6xf32>
    %17 = stablehlo.add %14, %16 : tensor<6x2x16x6xf32>
    %18 = stablehlo.floor %17 : tensor<6x2x16x6xf32>
    %19 = stablehlo.convert %18 : (tensor<6x2x16x6xf32>) -> tensor<6x2x16x6xi8>
    %20 = stablehlo.abs %arg10 : tensor<6x2x16x6xf32>
    %21 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %22 = stablehlo.reduce(%20 init: %21) applies stablehlo.maximum across dimensions = [3] : (tensor<6x2x16x6xf32>, tensor<f32>) -> tensor<6x2x16xf32>
    %23 = stablehlo.divide %22, %5 : tensor<6x2x16xf32>
    %24 = stablehlo.maximum %23, %8 : tensor<6x2x16xf32>
    %25 = stablehlo.divide %11, %24 : tensor<6x2x16xf32>
    %26 = stablehlo.broadcast_in_dim %25, dims = [0, 1, 2] : (tensor<6x2x16xf32>) -> tensor<6x2x16x6xf32>
    %27 = stablehlo.multiply %arg10, %26 : tensor<6x2x16x6xf32>
    %28 = stablehlo.add %27, %16 : tensor<6x2x16x6xf32>
    %29 = stablehlo.floor %28 : tensor<6x2x16x6xf32>
    %30 = stablehlo.convert %29 : (tensor<6x2x16x6xf32>) -> tensor<6x2x16x6xi8>
    %31 = stablehlo.transpose %19, dims = [0, 1, 3, 2] : (tensor<6x2x16x6xi8>) -> tensor<6x2x6x16xi8>
    %32:5 = stablehlo.custom_call @collegium.chain(%31, %30, %9, %24, %arg0, %arg1, %arg2, %arg3, %arg4, %arg5, %arg6, %arg7, %arg8) {api_version = 4 : i32, backend_config = {kernels = "paged_step_int8", names = "eps_bits window", steps = array<i64: 0, 2, 0, 925353388, 1, 0, 13, 0, 0, 4, 6, 2, 6, 16, 1, 0, 4, 6, 2, 16, 6, 2, 0, 3, 6, 2, 16, 3, 0, 3, 6, 2, 16, 4, 0, 2, 5, 60, 5, 0, 2, 5, 3, 6, 0, 2, 5, 3, 7, 0, 2, 2, 3, 8, 0, 1, 5, 9, 0, 1, 5, 10, 0, 1, 5, 11, 0, 1, 6, 12, 0, 1, 6, 5>}, output_operand_aliases = [#stablehlo.output_operand_alias<output_tuple_indices = [0], operand_index = 0, operand_tuple_indices = []>, #stablehlo.output_operand_alias<output_tuple_indices = [1], operand_index = 1, operand_tuple_indices = []>, #stablehlo.output_operand_alias<output_tuple_indices = [2], operand_index = 2, operand_tuple_indices = []>, #stablehlo.output_operand_alias<output_tuple_indices = [3], operand_index = 3, operand_tuple_indices = []>]} : (tensor<6x2x6x16xi8>, tensor<6x2x16x6xi8>, tensor<6x2x16xf32>, tensor<6x2x16xf32>, tensor<5x60xf32>, tensor<5x3xf32>, tensor<5x3xf32>, tensor<2x3xi32>, tensor<5xi32>, tensor<5xi32>, tensor<5xi32>, tensor<6xf32>, tensor<6xf32>) -> (tensor<6x2x6x16xi8>, tensor<6x2x16x6xi8>, tensor<6x2x16xf32>, tensor<6x2x16xf32>, tensor<5x36xf32>)
    %33 = stablehlo.convert %32#0 : (tensor<6x2x6x16xi8>) -> tensor<6x2x6x16xf32>
    return %33 : tensor<6x2x6x16xf32>
  }
}
