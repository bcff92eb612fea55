module @paged_step_values attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x60xf32>, %arg1: tensor<5x3xf32>, %arg2: tensor<5x3xf32>, %arg3: tensor<2x3xi32>, %arg4: tensor<5xi32>, %arg5: tensor<5xi32>, %arg6: tensor<5xi32>, %arg7: tensor<6xf32>, %arg8: tensor<6xf32>, %arg9: tensor<6x2x6x16xf32>, %arg10: tensor<6x2x16x6xf32>) -> (tensor<6x2x16x6xf32>) {
    %0 = stablehlo.slice %arg0 [0:5, 48:60] : (tensor<5x60xf32>) -> tensor<5x12xf32>
    %1 = stablehlo.reshape %0 : (tensor<5x12xf32>) -> tensor<5x2x6xf32>
    %2 = stablehlo.iota dim = 1 : tensor<5x96xi32>
    %3 = stablehlo.broadcast_in_dim %arg6, dims = [0] : (tensor<5xi32>) -> tensor<5x96xi32>
    %4 = stablehlo.compare EQ, %3, %2, SIGNED : (tensor<5x96xi32>, tensor<5x96xi32>) -> tensor<5x96xi1>
    %5 = stablehlo.convert %4 : (tensor<5x96xi1>) -> tensor<5x96xf32>
    %6 = stablehlo.constant dense<0.0> : tensor<f32>
    %7 = stablehlo.reduce(%5 init: %6) applies stablehlo.add across dimensions = [0] : (tensor<5x96xf32>, tensor<f32>) -> tensor<96xf32>
    %8 = stablehlo.constant dense<1.0> : tensor<f32>
    %9 = stablehlo.broadcast_in_dim %8, dims = [] : (tensor<f32>) -> tensor<96xf32>
    %10 = stablehlo.compare GE, %7, %9, FLOAT : (tensor<96xf32>, tensor<96xf32>) -> tensor<96xi1>
    %11 = stablehlo.broadcast_in_dim %10, dims = [0] : (tensor<96xi1>) -> tensor<96x2x6xi1>
    %12 = stablehlo.transpose %arg10, dims = [0, 2, 1, 3] : (tensor<6x2x16x6xf32>) -> tensor<6x16x2x6xf32>
    %13 = stablehlo.reshape %12 : (tensor<6x16x2x6xf32>) -> tensor<96x2x6xf32>
    %14 = stablehlo.dot_general %5, %1, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<5x96xf32>, tensor<5x2x6xf32>) -> tensor<96x2x6xf32>
    %15 = stablehlo.select %11, %14, %13 : tensor<96x2x6xi1>, tensor<96x2x6xf32>
    %16 = stablehlo.reshape %15 : (tensor<96x2x6xf32>) -> tensor<6x16x2x6xf32>
    %17 = stablehlo.transpose %16, dims = [0, 2, 1, 3] : (tensor<6x16x2x6xf32>) -> tensor<6x2x16x6xf32>
    return %17 : tensor<6x2x16x6xf32>
  }
}
