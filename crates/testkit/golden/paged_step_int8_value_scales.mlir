module @paged_step_int8_value_scales attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x60xf32>, %arg1: tensor<5x3xf32>, %arg2: tensor<5x3xf32>, %arg3: tensor<2x3xi32>, %arg4: tensor<5xi32>, %arg5: tensor<5xi32>, %arg6: tensor<5xi32>, %arg7: tensor<6xf32>, %arg8: tensor<6xf32>, %arg9: tensor<6x2x6x16xf32>, %arg10: tensor<6x2x16x6xf32>) -> (tensor<6x2x16xf32>) {
    %0 = stablehlo.constant dense<127.0> : tensor<f32>
    %1 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<f32>) -> tensor<6x2x16xf32>
    %2 = stablehlo.constant dense<1.0e-30> : tensor<f32>
    %3 = stablehlo.broadcast_in_dim %2, dims = [] : (tensor<f32>) -> tensor<6x2x16xf32>
    %4 = stablehlo.constant dense<1.0> : tensor<f32>
    %5 = stablehlo.abs %arg10 : tensor<6x2x16x6xf32>
    %6 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %7 = stablehlo.reduce(%5 init: %6) applies stablehlo.maximum across dimensions = [3] : (tensor<6x2x16x6xf32>, tensor<f32>) -> tensor<6x2x16xf32>
    %8 = stablehlo.divide %7, %1 : tensor<6x2x16xf32>
    %9 = stablehlo.maximum %8, %3 : tensor<6x2x16xf32>
    %10 = stablehlo.slice %arg0 [0:5, 48:60] : (tensor<5x60xf32>) -> tensor<5x12xf32>
    %11 = stablehlo.reshape %10 : (tensor<5x12xf32>) -> tensor<5x2x6xf32>
    %12 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %13 = stablehlo.broadcast_in_dim %2, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %14 = stablehlo.abs %11 : tensor<5x2x6xf32>
    %15 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %16 = stablehlo.reduce(%14 init: %15) applies stablehlo.maximum across dimensions = [2] : (tensor<5x2x6xf32>, tensor<f32>) -> tensor<5x2xf32>
    %17 = stablehlo.divide %16, %12 : tensor<5x2xf32>
    %18 = stablehlo.maximum %17, %13 : tensor<5x2xf32>
    %19 = stablehlo.iota dim = 1 : tensor<5x96xi32>
    %20 = stablehlo.broadcast_in_dim %arg6, dims = [0] : (tensor<5xi32>) -> tensor<5x96xi32>
    %21 = stablehlo.compare EQ, %20, %19, SIGNED : (tensor<5x96xi32>, tensor<5x96xi32>) -> tensor<5x96xi1>
    %22 = stablehlo.convert %21 : (tensor<5x96xi1>) -> tensor<5x96xf32>
    %23 = stablehlo.constant dense<0.0> : tensor<f32>
    %24 = stablehlo.reduce(%22 init: %23) applies stablehlo.add across dimensions = [0] : (tensor<5x96xf32>, tensor<f32>) -> tensor<96xf32>
    %25 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<f32>) -> tensor<96xf32>
    %26 = stablehlo.compare GE, %24, %25, FLOAT : (tensor<96xf32>, tensor<96xf32>) -> tensor<96xi1>
    %27 = stablehlo.broadcast_in_dim %26, dims = [0] : (tensor<96xi1>) -> tensor<96x2xi1>
    %28 = stablehlo.transpose %9, dims = [0, 2, 1] : (tensor<6x2x16xf32>) -> tensor<6x16x2xf32>
    %29 = stablehlo.reshape %28 : (tensor<6x16x2xf32>) -> tensor<96x2xf32>
    %30 = stablehlo.dot_general %22, %18, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<5x96xf32>, tensor<5x2xf32>) -> tensor<96x2xf32>
    %31 = stablehlo.select %27, %30, %29 : tensor<96x2xi1>, tensor<96x2xf32>
    %32 = stablehlo.reshape %31 : (tensor<96x2xf32>) -> tensor<6x16x2xf32>
    %33 = stablehlo.transpose %32, dims = [0, 2, 1] : (tensor<6x16x2xf32>) -> tensor<6x2x16xf32>
    return %33 : tensor<6x2x16xf32>
  }
}
